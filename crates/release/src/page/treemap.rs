use std::collections::BTreeMap;
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
    let tiles = tiles(size);
    let total: u64 = tiles.iter().map(|(_, bytes)| bytes).sum();
    let id = format!("treemap-{}", escape(component));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}\">\n<title id=\"{id}\">{} visible in {}, by directory; the table below says the same</title>\n",
        bytes(size.visible()),
        escape(component),
    );
    for (tile, (path, count)) in layout(&tiles, total).iter().zip(&tiles) {
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
                    write!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", tile.x + 5, tile.y + 33, bytes(*count));
            }
        }
        svg.push('\n');
    }
    svg.push_str("</svg>\n<details><summary>The same as a table</summary>\n<table><thead><tr><th scope=\"col\">Path</th><th scope=\"col\">Bytes</th></tr></thead>\n<tbody>\n");
    for (path, count) in &tiles {
        let _ = writeln!(svg, "<tr><td><code>{}</code></td><td>{count}</td></tr>", escape(path));
    }
    svg.push_str("</tbody></table>\n</details>\n");
    svg
}

/// Bytes by directory, largest first, ties by path, the rest as one tile at the end.
fn tiles(size: &SizeReport) -> Vec<(String, u64)> {
    let mut directories: BTreeMap<String, u64> = BTreeMap::new();
    for file in size.files.iter().filter(|file| file.bytes > 0) {
        let path: Vec<&str> = file.path.split('/').take(DEPTH).collect();
        *directories.entry(path.join("/")).or_default() += file.bytes;
    }
    let mut tiles: Vec<(String, u64)> = directories.into_iter().collect();
    tiles.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    if tiles.len() > TILES {
        let rest = tiles.split_off(TILES);
        let count = rest.len();
        tiles.push((format!("{count} more"), rest.iter().map(|(_, bytes)| bytes).sum()));
    }
    tiles
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tile {
    x: u64,
    y: u64,
    width: u64,
    height: u64,
}

/// Places tiles, given largest first, row by row along the shorter side; a row takes the next tile while its worst aspect
/// ratio does not grow.
fn layout(tiles: &[(String, u64)], total: u64) -> Vec<Tile> {
    let mut placed = Vec::with_capacity(tiles.len());
    let mut free = Tile { x: 0, y: 0, width: WIDTH, height: HEIGHT };
    let mut left = total.max(1);
    let mut rest = tiles;
    while !rest.is_empty() {
        let side = free.width.min(free.height).max(1);
        let area = (free.width * free.height).max(1);
        let mut length = 1;
        while length < rest.len()
            && worst(rest, length + 1, side, area, left) <= worst(rest, length, side, area, left)
        {
            length += 1;
        }
        let (row, after) = rest.split_at(length);
        let sum: u64 = row.iter().map(|(_, bytes)| bytes).sum();
        let is_wide = free.width >= free.height;
        let long = if is_wide { free.width } else { free.height };
        let depth = if after.is_empty() { long } else { scale(long, sum, left) };
        let mut offset = 0;
        let mut before = 0;
        for (_, bytes) in row {
            before += bytes;
            let end = scale(side, before, sum.max(1));
            let tile = if is_wide {
                Tile { x: free.x, y: free.y + offset, width: depth, height: end - offset }
            } else {
                Tile { x: free.x + offset, y: free.y, width: end - offset, height: depth }
            };
            placed.push(tile);
            offset = end;
        }
        if is_wide {
            free = Tile { x: free.x + depth, width: free.width - depth, ..free };
        } else {
            free = Tile { y: free.y + depth, height: free.height - depth, ..free };
        }
        left = left.saturating_sub(sum).max(1);
        rest = after;
    }
    placed
}

/// The worst aspect ratio of a row of the first `length` tiles, in thousandths.
fn worst(tiles: &[(String, u64)], length: usize, side: u64, area: u64, total: u64) -> u128 {
    let row =
        tiles.iter().take(length).map(|(_, bytes)| u128::from(*bytes) * u128::from(area) / u128::from(total));
    let row: Vec<u128> = row.map(|area| area.max(1)).collect();
    let sum: u128 = row.iter().sum();
    let side = u128::from(side);
    let ratio = |area: &u128| {
        (side * side * area * 1000 / (sum * sum).max(1)).max(sum * sum * 1000 / (side * side * area).max(1))
    };
    row.iter().map(ratio).max().unwrap_or(0)
}

fn scale(length: u64, part: u64, whole: u64) -> u64 {
    let scaled = u128::from(length) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(length).min(length)
}

#[cfg(test)]
mod tests {
    use super::{HEIGHT, WIDTH, layout};

    #[test]
    fn tiles_fill_the_picture_and_do_not_overlap() {
        for sizes in [vec![1], vec![6, 6, 4, 3, 2, 2, 1], vec![1_000_000_000, 1], vec![5; 40], vec![0, 0]] {
            let tiles: Vec<(String, u64)> = sizes.iter().map(|size| (String::new(), *size)).collect();
            let placed = layout(&tiles, sizes.iter().sum());
            assert_eq!(placed.len(), tiles.len());
            let area: u64 = placed.iter().map(|tile| tile.width * tile.height).sum();
            assert!(area <= WIDTH * HEIGHT);
            for tile in &placed {
                assert!(tile.x + tile.width <= WIDTH && tile.y + tile.height <= HEIGHT, "{tile:?}");
            }
            if sizes.iter().all(|size| *size > 0) && sizes.len() < 10 {
                assert!(area >= WIDTH * HEIGHT * 95 / 100, "{placed:?}");
            }
        }
    }
}
