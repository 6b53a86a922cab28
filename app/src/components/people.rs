use leptos::prelude::*;

use crate::components::avatar::{avatar, display_name};
use crate::erased::erase;
use crate::live::{Live, Presence};
use crate::model::{AuthorTag, Person};
use crate::texts::{counted, fill, texts};

/// The faces that are shown.
const MAX_FACES: usize = 5;

/// Who is here: some faces and the number, and on request a list. Nothing before the server has said so.
#[component]
pub fn People(live: Live) -> impl IntoView {
    let presence = move || live.presence.get().unwrap_or_default();
    let me = live.author;
    let label = move || label(&presence(), me.get());
    let count = move || shown_count(presence().count);
    let faces = move || {
        let Presence { count, people } = presence();
        let faces = people.iter().take(MAX_FACES);
        let faces: Vec<_> = faces
            .map(|it| avatar(&it.name, it.author.as_ref()))
            .collect();
        let more = others(count, faces.len());
        let more = (more > 0).then(|| view! { <span class="more">{format!("+{more}")}</span> });
        erase((faces, more))
    };
    let list = move || {
        let Presence { count, people } = presence();
        let items: Vec<_> = people
            .iter()
            .map(|it| {
                view! {
                    <li>
                        {avatar(&it.name, it.author.as_ref())}
                        <bdi>{name(it, me.get())}</bdi>
                    </li>
                }
            })
            .collect();
        let more = unnamed(others(count, people.len())).map(|text| view! { <li>{text}</li> });
        erase((items, more))
    };
    view! {
        <button
            class="people scripted"
            r#type="button"
            popovertarget="people"
            aria-label=label
            hidden=move || live.presence.read().is_none()
        >
            <span class="faces">{faces}</span>
            <span class="count">{count}</span>
        </button>
        <ul id="people" class="people-list" popover>
            {list}
        </ul>
    }
}

fn shown_count(count: u32) -> String {
    fill(texts().people_count, &[("count", &count.to_string())])
}

/// `3 here: Kim (you), Teal Heron, 1 more`. It begins with the visible text, by which people who speak to their
/// computer name the button (WCAG 2.5.3).
fn label(presence: &Presence, me: Option<AuthorTag>) -> String {
    let Presence { count, people } = presence;
    let listed = people.iter().map(|person| name(person, me));
    let all: Vec<String> = listed
        .chain(unnamed(others(*count, people.len())))
        .collect();
    format!("{}: {}", shown_count(*count), all.join(", "))
}

fn name(person: &Person, me: Option<AuthorTag>) -> String {
    let is_me = me.is_some() && person.author == me;
    let name = display_name(&person.name);
    if is_me {
        fill(texts().name_and_you, &[("name", name)])
    } else {
        name.to_owned()
    }
}

/// How many there are beside these.
fn others(count: u32, shown: usize) -> usize {
    usize::try_from(count).map_or(0, |count| count.saturating_sub(shown))
}

fn unnamed(count: usize) -> Option<String> {
    let texts = texts();
    (count > 0).then(|| counted(count, texts.more_people_one, texts.more_people_other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label_of(count: u32, names: &[(&str, Option<&str>)]) -> String {
        let people = names.iter().map(|(name, author)| Person {
            author: author.map(|author| author.parse().unwrap()),
            name: name.parse().unwrap(),
        });
        let people = people.collect();
        label(&Presence { count, people }, "aaaaaaaaaa".parse().ok())
    }

    #[test]
    fn the_label_names_those_who_have_a_name_and_counts_the_others() {
        let kim = ("Kim", Some("aaaaaaaaaa"));
        let heron = ("Teal Heron", None);
        assert_eq!(label_of(1, &[kim]), "1 here: Kim (you)");
        assert_eq!(label_of(2, &[kim, heron]), "2 here: Kim (you), Teal Heron");
        assert_eq!(
            label_of(7, &[heron, kim]),
            "7 here: Teal Heron, Kim (you), 5 more"
        );
        assert_eq!(label_of(2, &[]), "2 here: 2 more");
    }
}
