use std::fmt::Write as _;

use lotse_oci::SizeReport;

use super::markup::{bytes, cut, escape};

/// The picture's size; tiles are laid out in whole units.
const WIDTH: u64 = 960;
const HEIGHT: u64 = 320;
/// Directories are told apart to this depth; smaller tiles go into one rest tile.
const DEPTH: usize = 4;
const TILES: usize = 40;

/// The bytes of an image as a squarified treemap (Bruls, Huizing, van Wijk 2000), with the largest tiles in a table.
pub(super) fn picture(component: &str, size: &SizeReport) -> String {
    let map = size.treemap(WIDTH, HEIGHT, DEPTH, TILES);
    let id = format!("treemap-{}", escape(component));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}\">\n<title id=\"{id}\">{} visible in {}, by directory; the table below says the same</title>\n",
        bytes(size.visible()),
        escape(component),
    );
    for tile in &map.tiles {
        let (path, count) = (&tile.name, tile.bytes);
        let _ = write!(
            svg,
            "<rect class=\"faint\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            tile.x, tile.y, tile.width, tile.height
        );
        if tile.width >= 56 && tile.height >= 20 {
            let room = usize::try_from(tile.width / 8).unwrap_or(0);
            let name = path.rsplit('/').next().unwrap_or(path);
            let _ =
                write!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", tile.x + 5, tile.y + 16, cut(name, room));
            if tile.height >= 40 {
                let _ =
                    write!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", tile.x + 5, tile.y + 33, bytes(count));
            }
        }
        svg.push('\n');
    }
    svg.push_str("</svg>\n<details><summary>The same as a table</summary>\n<table><thead><tr><th scope=\"col\">Path</th><th scope=\"col\">Bytes</th></tr></thead>\n<tbody>\n");
    for tile in &map.tiles {
        let _ = writeln!(svg, "<tr><td><code>{}</code></td><td>{}</td></tr>", escape(&tile.name), tile.bytes);
    }
    svg.push_str("</tbody></table>\n</details>\n");
    svg
}
