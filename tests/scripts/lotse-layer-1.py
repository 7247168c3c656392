#!/usr/bin/env python3
"""A second, slow implementation of crates/oci/CANONICAL.md, written from its text: the layer of a directory.

    tests/scripts/lotse-layer-1.py DIRECTORY MTIME

Prints the digest of the archive and of the gzip layer. Files of up to about a megabyte; hard links, extended attributes and
whiteouts do not come from a plain directory and are left to the golden digests.
"""
import hashlib
import os
import struct
import sys
import zlib

PIECE, WINDOW = 524288, 32768


# Sections 1 to 3: the archive.
def entries(root):
    found = []
    for directory, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.join(directory, name)
            found.append((os.path.relpath(path, root).encode(), path))
    return sorted(found)


def octal(value, digits):
    text = format(value, "o")
    return None if len(text) > digits else text.rjust(digits, "0").encode() + b"\0"


def character_end(name, end):
    while end < len(name) and name[end] & 0xC0 == 0x80:
        end -= 1
    return end


def record(key, value):
    rest = len(key) + len(value) + 3
    length = rest
    while len(str(length)) + rest != length:
        length = len(str(length)) + rest
    return str(length).encode() + b" " + key + b"=" + value + b"\n"


def header(name, mode, size, mtime, kind, link, prefix=b""):
    block = bytearray(512)

    def put(at, value):
        block[at : at + len(value)] = value

    put(0, name), put(345, prefix), put(157, link)
    put(100, octal(mode, 7)), put(108, octal(0, 7)), put(116, octal(0, 7))
    put(124, octal(size, 11)), put(136, octal(mtime, 11))
    put(156, kind), put(257, b"ustar\x0000"), put(329, octal(0, 7)), put(337, octal(0, 7))
    put(148, b" " * 8)
    put(148, format(sum(block), "06o").encode() + b"\0 ")
    return bytes(block)


def padded(content):
    return content + b"\0" * (-len(content) % 512)


def entry(name, mode, content, mtime, kind, link=b""):
    records = []
    prefix, short = b"", name
    if len(name) > 100:
        cuts = [at for at in range(1, min(155, len(name) - 2) + 1) if name[at : at + 1] == b"/" and len(name) - at - 1 <= 100]
        if cuts:
            prefix, short = name[: cuts[-1]], name[cuts[-1] + 1 :]
        else:
            records.append((b"path", name))
            short = name[: character_end(name, 100)]
    if len(link) > 100:
        records.append((b"linkpath", link))
        link = link[: character_end(link, 100)]
    out = b""
    if records:
        body = b"".join(record(key, value) for key, value in sorted(records))
        out = header(b"PaxHeaders/lotse", 0o644, len(body), 0, b"x", b"") + padded(body)
    return out + header(short, mode, len(content), mtime, kind, link, prefix) + padded(content)


def archive(root, mtime):
    out = []
    for name, path in entries(root):
        if os.path.islink(path):
            out.append(entry(name, 0o777, b"", mtime, b"2", os.readlink(path).encode()))
        elif os.path.isdir(path):
            out.append(entry(name + b"/", 0o755, b"", mtime, b"5"))
        else:
            mode = 0o755 if os.stat(path).st_mode & 0o100 else 0o644
            with open(path, "rb") as file:
                out.append(entry(name, mode, file.read(), mtime, b"0"))
    return b"".join(out) + b"\0" * 1024


# Section 4.2: matches.
def log2(value):
    return value.bit_length() - 1


def sequences(data, first):
    """The literals and matches of data[first:]: (run, length, distance); length 0 at the end."""
    end = len(data)
    heads, threes, before = [0] * 65536, [0] * 16384, [0] * 32768
    more = data + b"\0" * 8

    def four(p):
        return int.from_bytes(more[p : p + 4], "little")

    def h4(p):
        return (four(p) * 0x9E3779B1 & 0xFFFFFFFF) >> 16

    def h3(p):
        return ((four(p) * 256 & 0xFFFFFFFF) * 0x9E3779B1 & 0xFFFFFFFF) >> 18

    def enter(p):
        before[p % 32768] = heads[h4(p)]
        heads[h4(p)] = p % 65536
        threes[h3(p)] = p % 65536

    def search(p, number, least, depth):
        most = min(end - p, 258)
        if least >= most:
            return None
        best, longest, last = None, least, 0
        for _ in range(depth):
            d = (p - number) % 65536
            if d <= last or d > min(p, 32768):
                break
            last = d
            q = p - d
            number = before[q % 32768]
            length = 0
            while length < most and data[q + length] == data[p + length]:
                length += 1
            if length >= 4 and length > longest:
                best, longest = (length, d), length
                if length >= 96 or length == most:
                    break
        return best

    for p in range(first):
        enter(p)
    p = m = first
    found = []
    while p + 3 < end:
        head, three = heads[h4(p)], threes[h3(p)]
        enter(p)
        d = (p - three) % 65536
        short = (3, d) if 1 <= d <= min(p, 4096) and data[p - d : p - d + 3] == data[p : p + 3] else None
        best = search(p, head, 3, 24) or short
        if best is None:
            r = p - m
            p += 1
            if r >= 384:
                p = min(end, p + min((r - 384) // 64, 8))
            continue
        n = p + 1
        while best[0] < 96 and p + 4 < end:
            head = heads[h4(p + 1)]
            enter(p + 1)
            n = p + 2
            c = search(p + 1, head, max(3, best[0] - 1), 8 if best[0] >= 10 else 24)
            if c and 4 * c[0] + log2(best[1]) > 4 * best[0] + log2(c[1]) + 2:
                p, best = p + 1, c
            else:
                break
        found.append((p - m, best[0], best[1]))
        p += best[0]
        m = p
        for q in range(n, p):
            enter(q)
    if m < end:
        found.append((end - m, 0, 0))
    return found


# Section 4.3: blocks.
def fractions():
    table = []
    for i in range(256):
        x, bits = (256 + i) << 24, 0
        for _ in range(8):
            x = x * x >> 32
            bits <<= 1
            if x >= 1 << 33:
                bits, x = bits | 1, x // 2
        table.append(bits)
    return table


FRACTION = fractions()


def log(value):
    if value == 0:
        return 0
    k = log2(value)
    return 256 * k + FRACTION[(256 * value >> k) % 256]


def cost(counts):
    return sum(sum(part) * log(sum(part)) - sum(c * log(c) for c in part) for part in counts)


BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]
EXTRA = [0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [0]
DISTANCE = [1, 2, 3, 4]
for bits_more in range(1, 14):
    DISTANCE.append(DISTANCE[-1] + (1 << bits_more - 1))
    DISTANCE.append(DISTANCE[-1] + (1 << bits_more))


def length_symbol(length):
    return max(i for i in range(29) if BASE[i] <= length)


def distance_symbol(distance):
    return max(i for i in range(30) if DISTANCE[i] <= distance)


def distance_extra(symbol):
    return 0 if symbol < 4 else symbol // 2 - 1


def blocks(data, first, found):
    groups, at, group = [], first, []
    size = 0
    for run, length, distance in found:
        group.append((run, length, distance))
        size += run + length
        if size >= 8192:
            groups.append((group, size))
            group, size = [], 0
    if size:
        groups.append((group, size))
    counted = []
    for group, size in groups:
        literals, distances = [0] * 286, [0] * 30
        for run, length, distance in group:
            for byte in data[at : at + run]:
                literals[byte] += 1
            at += run + length
            if length:
                literals[257 + length_symbol(length)] += 1
                distances[distance_symbol(distance)] += 1
        counted.append([group, size, (literals, distances)])

    def both(a, b):
        return tuple([x + y for x, y in zip(p, q)] for p, q in zip(a[2], b[2]))

    while len(counted) > 1:
        saved = [cost(a[2]) + cost(b[2]) + 720 * 256 - cost(both(a, b)) for a, b in zip(counted, counted[1:])]
        if max(saved) < 0:
            break
        i = saved.index(max(saved))
        a, b = counted[i], counted[i + 1]
        counted[i : i + 2] = [[a[0] + b[0], a[1] + b[1], both(a, b)]]
    return counted


# Section 4.4: codes.
def lengths(counts, limit):
    used = sorted((c, s) for s, c in enumerate(counts) if c)
    out = [0] * len(counts)
    if len(used) < 2:
        only = used[0][1] if used else 0
        out[only] = 1
        out[1 if only == 0 else 0] = 1
        return out
    leaves = [(c, [i]) for i, (c, _) in enumerate(used)]
    inner, depth = [], [0] * len(used)
    while len(leaves) + len(inner) > 1:
        weight, members = 0, []
        for _ in range(2):
            queue = leaves if leaves and (not inner or leaves[0][0] <= inner[0][0]) else inner
            w, inside = queue.pop(0)
            weight, members = weight + w, members + inside
        for i in members:
            depth[i] += 1
        inner.append((weight, members))
    n = [0] * (limit + 2)
    for d in depth:
        n[min(d, limit)] += 1
    while sum(n[d] << limit - d for d in range(1, limit + 1)) > 1 << limit:
        d = max(d for d in range(1, limit) if n[d])
        n[d] -= 1
        n[d + 1] += 2
        n[limit] -= 1
    order = iter(s for _, s in used)
    for d in range(limit, 0, -1):
        for _ in range(n[d]):
            out[next(order)] = d
    return out


def codes(of):
    code, table = 0, [None] * len(of)
    for length in range(1, 16):
        code <<= 1
        for symbol, l in enumerate(of):
            if l == length:
                table[symbol] = (int(format(code, f"0{length}b")[::-1], 2), length)
                code += 1
    return table


# Section 4.5: bits.
class Bits:
    def __init__(self):
        self.value, self.count, self.out = 0, 0, bytearray()

    def put(self, bits, count):
        self.value |= bits << self.count
        self.count += count
        while self.count >= 8:
            self.out.append(self.value & 255)
            self.value >>= 8
            self.count -= 8

    def stored(self, part):
        self.put(0, 3)
        self.put(0, -self.count % 8)
        self.out += struct.pack("<HH", len(part), len(part) ^ 0xFFFF) + part


def runs(all_lengths):
    out, at = [], 0
    while at < len(all_lengths):
        value, left = all_lengths[at], 1
        while at + left < len(all_lengths) and all_lengths[at + left] == value:
            left += 1
        at += left
        if value == 0:
            while left >= 11:
                out.append((18, min(left, 138) - 11, 7))
                left -= min(left, 138)
            if left >= 3:
                out.append((17, left - 3, 3))
                left = 0
        else:
            out.append((value, 0, 0))
            left -= 1
            while left >= 3:
                out.append((16, min(left, 6) - 3, 2))
                left -= min(left, 6)
        out += [(value, 0, 0)] * left
    return out


ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
FIXED = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8


def write_block(bits, data, at, group, size, counts):
    literals, distances = list(counts[0]), counts[1]
    literals[256] = 1
    l, d = lengths(literals, 15), lengths(distances, 15)
    hlit = max(257, max(i for i, x in enumerate(l) if x) + 1)
    hdist = max(1, max(i for i, x in enumerate(d) if x) + 1)
    packed = runs(l[:hlit] + d[:hdist])
    c = lengths([sum(1 for r in packed if r[0] == s) for s in range(19)], 7)
    hclen = max(4, max(i for i, s in enumerate(ORDER) if c[s]) + 1)
    extra = sum(n * EXTRA[i] for i, n in enumerate(literals[257:])) + sum(n * distance_extra(i) for i, n in enumerate(distances))
    symbols = lambda x, y: sum(n * x[i] for i, n in enumerate(literals)) + sum(n * y[i] for i, n in enumerate(distances))
    dynamic = 3 + extra + 14 + 3 * hclen + sum(c[s] + e for s, _, e in packed) + symbols(l, d)
    fixed = 3 + extra + symbols(FIXED, [5] * 30)
    plain = data[at : at + size]
    if max(1, -(-size // 65535)) * 42 + 8 * size <= min(fixed, dynamic):
        for start in range(0, size, 65535):
            bits.stored(plain[start : start + 65535])
        return
    if fixed <= dynamic:
        bits.put(0b010, 3)
        l, d = FIXED, [5] * 30
    else:
        bits.put(0b100, 3)
        bits.put(hlit - 257, 5), bits.put(hdist - 1, 5), bits.put(hclen - 4, 4)
        for s in ORDER[:hclen]:
            bits.put(c[s], 3)
        table = codes(c)
        for symbol, value, count in packed:
            bits.put(*table[symbol])
            bits.put(value, count)
    literal, away = codes(l), codes(d)
    for run, length, distance in group:
        for byte in data[at : at + run]:
            bits.put(*literal[byte])
        at += run + length
        if length:
            s = length_symbol(length)
            bits.put(*literal[257 + s])
            bits.put(length - BASE[s], EXTRA[s])
            s = distance_symbol(distance)
            bits.put(*away[s])
            bits.put(distance - DISTANCE[s], distance_extra(s))
    bits.put(*literal[256])


def gzip(content):
    out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    for start in range(0, len(content), PIECE):
        first = min(start, WINDOW)
        data = content[start - first : start + PIECE]
        bits, at = Bits(), first
        for group, size, counts in blocks(data, first, sequences(data, first)):
            write_block(bits, data, at, group, size, counts)
            at += size
        bits.stored(b"")
        out += bytes(bits.out)
    return out + b"\x03\0" + struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)


if __name__ == "__main__":
    tar = archive(sys.argv[1], int(sys.argv[2]))
    layer = gzip(tar)
    assert zlib.decompress(layer, 31) == tar
    print("sha256:" + hashlib.sha256(tar).hexdigest())
    print("sha256:" + hashlib.sha256(layer).hexdigest())
