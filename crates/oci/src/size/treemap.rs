use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::page::escape;

/// Bytes as areas: a squarified treemap (Bruls, Huizing, van Wijk 2000) in whole units. Plain data; [`to_svg`](Self::to_svg) draws
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Treemap {
    /// Width of the picture.
    pub width: u64,
    /// Height of the picture.
    pub height: u64,
    /// The tiles, largest first, a rest last.
    pub tiles: Vec<Tile>,
}

/// A rectangle of a [`Treemap`]. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tile {
    /// What it stands for: a path, or how many more there are.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Distance from the left.
    pub x: u64,
    /// Distance from the top.
    pub y: u64,
    /// Its width.
    pub width: u64,
    /// Its height.
    pub height: u64,
}

impl Treemap {
    /// Lays out `parts` by their bytes, ties by name; those beyond `most` become one tile.
    #[must_use]
    pub fn new(parts: BTreeMap<String, u64>, width: u64, height: u64, most: usize) -> Self {
        let mut parts: Vec<(String, u64)> = parts.into_iter().collect();
        parts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        if parts.len() > most {
            let rest = parts.split_off(most);
            let count = rest.len();
            let bytes = rest.iter().fold(0u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
            parts.push((format!("{count} more"), bytes));
        }
        let places = layout(&parts, width, height);
        let tiles = parts.into_iter().zip(places).map(|((name, bytes), place)| Tile {
            name,
            bytes,
            x: place.x,
            y: place.y,
            width: place.width,
            height: place.height,
        });
        Self { width, height, tiles: tiles.collect() }
    }

    /// The treemap as an SVG element with a title; tiles have the class `tile`, names stand where there is room.
    #[must_use]
    pub fn to_svg(&self, title: &str) -> String {
        let title = escape(title);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n",
            self.width, self.height
        );
        for tile in &self.tiles {
            let _ = write!(
                svg,
                "<g><title>{}: {} bytes</title><rect class=\"tile\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                escape(&tile.name),
                tile.bytes,
                tile.x,
                tile.y,
                tile.width,
                tile.height
            );
            if tile.width >= 56 && tile.height >= 20 {
                let room = usize::try_from(tile.width / 8).unwrap_or(0);
                let name: String = tile.name.chars().rev().take(room).collect();
                let mut name: String = name.chars().rev().collect();
                if name.len() < tile.name.len() {
                    name = format!("\u{2026}{}", name.chars().skip(1).collect::<String>());
                }
                let _ =
                    write!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", tile.x + 5, tile.y + 15, escape(&name));
                if tile.height >= 40 {
                    let _ = write!(
                        svg,
                        "<text x=\"{}\" y=\"{}\">{}</text>",
                        tile.x + 5,
                        tile.y + 31,
                        short(tile.bytes)
                    );
                }
            }
            svg.push_str("</g>\n");
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// A number of bytes for people.
fn short(count: u64) -> String {
    for (unit, name) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")] {
        if count >= unit {
            return format!("{}.{} {name}", count / unit, count % unit / (unit / 10));
        }
    }
    format!("{count} B")
}

#[derive(Clone, Copy, Debug)]
struct Rectangle {
    x: u64,
    y: u64,
    width: u64,
    height: u64,
}

/// Places parts, given largest first, row by row along the shorter side; a row takes the next part while its worst aspect ratio
/// does not grow.
fn layout(parts: &[(String, u64)], width: u64, height: u64) -> Vec<Rectangle> {
    let mut placed = Vec::with_capacity(parts.len());
    let mut free = Rectangle { x: 0, y: 0, width, height };
    let mut left = sum(parts).max(1);
    let mut rest = parts;
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
        let all = sum(row);
        let is_wide = free.width >= free.height;
        let long = if is_wide { free.width } else { free.height };
        let depth = if after.is_empty() { long } else { scale(long, all, left) };
        let (mut offset, mut before) = (0, 0);
        for (_, bytes) in row {
            before += u128::from(*bytes);
            let end = scale(side, before, all.max(1));
            placed.push(if is_wide {
                Rectangle { x: free.x, y: free.y + offset, width: depth, height: end - offset }
            } else {
                Rectangle { x: free.x + offset, y: free.y, width: end - offset, height: depth }
            });
            offset = end;
        }
        if is_wide {
            free = Rectangle { x: free.x + depth, width: free.width - depth, ..free };
        } else {
            free = Rectangle { y: free.y + depth, height: free.height - depth, ..free };
        }
        left = left.saturating_sub(all).max(1);
        rest = after;
    }
    placed
}

/// The worst aspect ratio of a row of the first `length` parts, in thousandths.
fn worst(parts: &[(String, u64)], length: usize, side: u64, area: u64, total: u128) -> u128 {
    let row = parts.iter().take(length);
    let row: Vec<u128> =
        row.map(|(_, bytes)| (u128::from(*bytes) * u128::from(area) / total).max(1)).collect();
    let sum: u128 = row.iter().sum();
    let side = u128::from(side);
    let ratio = |area: &u128| {
        (side * side * area * 1000 / (sum * sum).max(1)).max(sum * sum * 1000 / (side * side * area).max(1))
    };
    row.iter().map(ratio).max().unwrap_or(0)
}

fn sum(parts: &[(String, u64)]) -> u128 {
    parts.iter().map(|(_, bytes)| u128::from(*bytes)).sum()
}

fn scale(length: u64, part: u128, whole: u128) -> u64 {
    let scaled = u128::from(length) * part / whole.max(1);
    u64::try_from(scaled).unwrap_or(length).min(length)
}
