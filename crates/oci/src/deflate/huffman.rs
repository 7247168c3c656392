//! Huffman codes (CANONICAL.md, 4.4): lengths by the usual tree, cut to the limit, codes by RFC 1951, 3.2.2.

/// The longest code of literals and distances.
pub(super) const LIMIT: usize = 15;

/// A code: its bits in the order they are written (the first is the lowest), and how many.
#[derive(Clone, Copy, Default)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// The lengths of the codes for symbols that occur `counts` times; at least two symbols get one.
pub(super) fn lengths<const N: usize>(counts: &[u32; N], limit: usize) -> [u8; N] {
    let mut lengths = [0; N];
    // Symbols that occur, rarest first, among equals the lower symbol first.
    let mut sorted = [(0u32, 0u16); N];
    let mut used = 0;
    for (symbol, &count) in counts.iter().enumerate() {
        if count > 0 {
            sorted[used] = (count, symbol as u16);
            used += 1;
        }
    }
    if used < 2 {
        // One code of one bit is enough to say, and two are needed by readers that insist on a complete code.
        let only = if used == 1 { usize::from(sorted[0].1) } else { 0 };
        lengths[only] = 1;
        lengths[usize::from(only == 0)] = 1;
        return lengths;
    }
    sorted[..used].sort_unstable();

    // Two queues: leaves in `sorted`, inner nodes in the order they are made; on a tie the leaf is taken first.
    let mut weights = [0u32; N];
    let mut parents = [0u16; N];
    let mut leaf_parents = [0u16; N];
    let (mut leaf, mut inner) = (0, 0);
    for made in 0..used - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            if leaf < used && (inner >= made || sorted[leaf].0 <= weights[inner]) {
                weight += sorted[leaf].0;
                leaf_parents[leaf] = made as u16;
                leaf += 1;
            } else {
                weight += weights[inner];
                parents[inner] = made as u16;
                inner += 1;
            }
        }
        weights[made] = weight;
    }
    // Depths from the root down; how many leaves each depth has, those below the limit counted at the limit.
    let mut depths = [0u8; N];
    let mut counts_at = [0u32; LIMIT + 2];
    for node in (0..used - 2).rev() {
        depths[node] = depths[usize::from(parents[node])].saturating_add(1);
    }
    for &parent in &leaf_parents[..used] {
        let depth = usize::from(depths[usize::from(parent)]) + 1;
        counts_at[depth.min(limit)] += 1;
    }
    // Leaves that were lifted to the limit made the code too full: the deepest leaf above the limit goes down a step,
    // until it fits.
    let mut excess: u64 =
        (1..=limit).map(|depth| u64::from(counts_at[depth]) << (limit - depth)).sum::<u64>();
    while excess > 1 << limit {
        let mut depth = limit - 1;
        while counts_at[depth] == 0 {
            depth -= 1;
        }
        counts_at[depth] -= 1;
        counts_at[depth + 1] += 2;
        counts_at[limit] -= 1;
        excess -= 1;
    }
    let mut symbols = sorted[..used].iter();
    for depth in (1..=limit).rev() {
        for &(_, symbol) in symbols.by_ref().take(counts_at[depth] as usize) {
            lengths[usize::from(symbol)] = depth as u8;
        }
    }
    lengths
}

/// The codes for these lengths (RFC 1951, 3.2.2).
pub(super) fn codes<const N: usize>(lengths: &[u8; N]) -> [Code; N] {
    let mut counts = [0u16; LIMIT + 1];
    for &length in lengths {
        counts[usize::from(length)] += 1;
    }
    counts[0] = 0;
    let mut next = [0u16; LIMIT + 1];
    for length in 1..=LIMIT {
        next[length] = (next[length - 1] + counts[length - 1]) << 1;
    }
    let mut codes = [Code::default(); N];
    for (code, &length) in codes.iter_mut().zip(lengths) {
        if length > 0 {
            let value = next[usize::from(length)];
            next[usize::from(length)] += 1;
            *code = Code { bits: value.reverse_bits() >> (16 - length), length };
        }
    }
    codes
}
