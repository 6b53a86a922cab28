/// The text with each placeholder, as `{name}`, replaced by its part.
pub fn fill(text: &str, parts: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, placeholder)) = rest.split_once('{') {
        let (name, after) = placeholder.split_once('}').unwrap_or_default();
        filled.push_str(before);
        let part = parts.iter().find(|(it, _)| *it == name);
        filled.push_str(part.map_or("", |(_, part)| part));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The text for this number, with `{count}` replaced by it.
pub fn counted(count: usize, one: &str, other: &str) -> String {
    let text = if count == 1 { one } else { other };
    fill(text, &[("count", &count.to_string())])
}
