//! The shell of every page: one self-contained file, light or dark as the reader's system is,
//! without a script or anything that is fetched.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Colours by role, and what all pages look like. Charts take their colours from the same
/// variables.
const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn page(title: &str, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // An icon of its own, or browsers ask the network for one.
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_fetches_nothing_and_escapes_what_it_shows() {
        let page = page("a < b", html! { p { "x & y" } });
        assert!(page.contains("<title>a &lt; b</title>") && page.contains("x &amp; y"));
        for fetches in ["http:", "https:", "url(", "@import", "src=", "<script"] {
            assert!(!page.contains(fetches), "{fetches}");
        }
    }

    #[test]
    fn both_schemes_give_every_colour() {
        let (light, dark) =
            STYLE.split_once("@media (prefers-color-scheme: dark)").expect("a dark scheme");
        for name in ["ink", "paper", "soft", "line", "accent", "bad", "good", "warn"] {
            let given = format!("--{name}:");
            assert!(light.contains(&given) && dark.contains(&given), "{name}");
        }
    }
}
