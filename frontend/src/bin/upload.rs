//! An upload's page, live.

use frontend as _;

fn main() {
    app::hydrate_upload();
}
