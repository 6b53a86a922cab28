//! The home page, live.

use frontend as _;

fn main() {
    app::hydrate_home();
}
