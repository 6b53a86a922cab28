//! Type erasure: views, lists and effects whose generic code is compiled once for all, which makes the WASM smaller.

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::*;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::ssr::StreamBuilder;
use leptos::tachys::view::{Mountable, Position, PositionState};

/// Erases a view's type, as [`IntoAny::into_any`] does, without the code of three functions, for a smaller WASM.
///
/// An [`AnyView`] points to the view's `hydrate_async`, which only `hydrate_lazy` calls, and to its `rebuild`, which
/// updates the view in place; so the linker must keep them. Here a new view replaces the old one instead. The third is
/// `into_owned`, which converts a view that borrows something.
pub fn erase(view: impl IntoView + 'static) -> AnyView {
    NoRebuild(view).into_any()
}

/// Runs this in the browser, now and after each change of what it reads. [`Effect::new`] compiles its code for every
/// closure.
pub fn effect(run: impl FnMut() + 'static) {
    let run: Box<dyn FnMut()> = Box::new(run);
    Effect::new(run);
}

/// [`For`] for items with numbers as keys. Its code is shared by all lists.
#[component]
pub fn ErasedFor<T, V>(
    each: impl Fn() -> Vec<T> + Send + 'static,
    key: fn(&T) -> u64,
    children: impl Fn(T) -> V + Copy + Send + 'static,
) -> impl IntoView
where
    T: Send + 'static,
    V: IntoView + 'static,
{
    let to_item = move |item| Item {
        key: key(&item),
        view: Box::new(move || erase(children(item))),
    };
    let each: Box<dyn Fn() -> Vec<Item> + Send> =
        Box::new(move || each().into_iter().map(to_item).collect());
    view! { <For each key=|item| item.key children=|item| (item.view)()/> }
}

struct Item {
    key: u64,
    view: Box<dyn FnOnce() -> AnyView + Send>,
}

struct NoRebuild<V>(V);

impl<V: Render> Render for NoRebuild<V> {
    type State = V::State;

    fn build(self) -> Self::State {
        self.0.build()
    }

    fn rebuild(self, state: &mut Self::State) {
        let mut new = self.0.build();
        state.insert_before_this(&mut new);
        state.unmount();
        *state = new;
    }
}

impl<V: RenderHtml + 'static> RenderHtml for NoRebuild<V> {
    type AsyncOutput = V::AsyncOutput;
    // It borrows nothing, so there is nothing to convert.
    type Owned = Self;

    const MIN_LENGTH: usize = V::MIN_LENGTH;
    const EXISTS: bool = V::EXISTS;

    fn dry_resolve(&mut self) {
        self.0.dry_resolve();
    }

    async fn resolve(self) -> Self::AsyncOutput {
        self.0.resolve().await
    }

    fn html_len(&self) -> usize {
        self.0.html_len()
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0
            .to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
    }

    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        buf: &mut StreamBuilder,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0.to_html_async_with_buf::<OUT_OF_ORDER>(
            buf,
            position,
            escape,
            mark_branches,
            extra_attrs,
        );
    }

    fn hydrate<const FROM_SERVER: bool>(
        self,
        cursor: &Cursor,
        position: &PositionState,
    ) -> Self::State {
        self.0.hydrate::<FROM_SERVER>(cursor, position)
    }

    fn into_owned(self) -> Self::Owned {
        self
    }
}

impl<V: AddAnyAttr> AddAnyAttr for NoRebuild<V> {
    type Output<A: Attribute> = V::Output<A>;

    fn add_any_attr<A: Attribute>(self, attribute: A) -> Self::Output<A>
    where
        Self::Output<A>: RenderHtml,
    {
        self.0.add_any_attr(attribute)
    }
}
