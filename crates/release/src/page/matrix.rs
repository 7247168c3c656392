use std::fmt::Write as _;

use super::markup::{cut, escape};
use crate::NetworkReport;

/// The reachability of an environment: one order on both axes, along the flow; a cell is a word and a shape. What was
/// declared stands in brackets where it differs.
pub(super) fn picture(environment: &str, network: &NetworkReport) -> String {
    let mut table = format!(
        "<div class=\"wide\"><table class=\"matrix\">\n<caption>{}: from the row to the column; an empty cell is denied, a dot is not for these policies to say</caption>\n<thead><tr><th scope=\"col\">from \\ to</th>",
        escape(environment)
    );
    for peer in &network.peers {
        let _ = write!(table, "<th scope=\"col\">{}</th>", cut(peer, 18));
    }
    table.push_str("</tr></thead>\n<tbody>\n");
    for (peer, row) in network.peers.iter().zip(&network.cells) {
        let _ = write!(table, "<tr><th scope=\"row\">{}</th>", cut(peer, 18));
        for cell in row {
            match cell {
                None => table.push_str("<td>\u{00b7}</td>"),
                Some((actual, declared)) if actual == declared && actual == "-" => {
                    table.push_str("<td></td>")
                }
                Some((actual, declared)) if actual == declared => {
                    let _ = write!(table, "<td class=\"open\">\u{2192} {}</td>", escape(actual));
                }
                Some((actual, declared)) => {
                    let _ = write!(
                        table,
                        "<td class=\"wrong\">\u{2717} {} ({})</td>",
                        escape(actual),
                        escape(declared)
                    );
                }
            }
        }
        table.push_str("</tr>\n");
    }
    table.push_str("</tbody>\n</table></div>\n");
    table
}
