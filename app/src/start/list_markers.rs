//! Leptos inserts a list's new items before a comment, which is the list's last child. Extensions that strip comments
//! remove those of all lists; then nothing new would be shown, without an error.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::mount::UnmountHandle;
use leptos::prelude::*;
use leptos::tachys::view::Mountable;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, HtmlElement, MutationObserver, MutationObserverInit, Node};

use super::form_input::save_input;

/// A list (`ErasedFor`) of each page that has any: if it has lost its comment, so have the others.
const LISTS: &str = ".log-content, .own-pictures ul";
/// The app is rendered again at most this often: an extension may remove the comments each time.
const INTERVAL: Duration = Duration::from_secs(10);

/// Renders the app again whenever its lists have lost their comments.
pub fn watch<S: Mountable + 'static>(
    root: HtmlElement,
    mounted: UnmountHandle<S>,
    render_again: impl Fn() -> UnmountHandle<S> + 'static,
) {
    let watcher = Rc::new(Watcher {
        root: root.clone(),
        render_again,
        mounted: RefCell::new(Some(mounted)),
        is_waiting: Cell::new(false),
    });
    let changed = Closure::<dyn FnMut()>::new(move || watcher.check());
    let options = MutationObserverInit::new();
    options.set_child_list(true);
    options.set_subtree(true);
    if let Ok(observer) = MutationObserver::new(changed.as_ref().unchecked_ref()) {
        // Fails only for options that observe nothing.
        _ = observer.observe_with_options(&root, &options);
    }
    changed.forget();
}

struct Watcher<S: Mountable, M> {
    root: HtmlElement,
    render_again: M,
    mounted: RefCell<Option<UnmountHandle<S>>>,
    is_waiting: Cell<bool>,
}

impl<S: Mountable + 'static, M: Fn() -> UnmountHandle<S> + 'static> Watcher<S, M> {
    fn check(self: &Rc<Self>) {
        if self.is_waiting.get() || are_complete(&self.root) {
            return;
        }
        save_input(&self.root);
        // The old page leaves its conversation before the new one enters it.
        if let Some(owner) = Owner::current() {
            owner.cleanup();
        }
        drop(self.mounted.take());
        self.mounted.replace(Some((self.render_again)()));
        self.is_waiting.set(true);
        let watcher = Rc::clone(self);
        set_timeout(
            move || {
                watcher.is_waiting.set(false);
                watcher.check();
            },
            INTERVAL,
        );
    }
}

/// Whether each of the [`LISTS`] has its comment.
fn are_complete(root: &Element) -> bool {
    let Ok(lists) = root.query_selector_all(LISTS) else {
        return true;
    };
    let mut lists = (0..lists.length()).filter_map(|index| lists.get(index));
    lists.all(|list| {
        let last = list.last_child();
        let mut children = std::iter::successors(last, Node::previous_sibling);
        children.any(|child| child.node_type() == Node::COMMENT_NODE)
    })
}
