//! The frozen encoder beside the encoders that Rust programs use, on one thread and the same bytes:
//! `cargo run --release --bin deflate -- FILE...`, best on archives of real trees.
//!
//! Each figure is the fastest of 5 runs; the encoders take turns within a run.

use std::error::Error;
use std::io::Write;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use libdeflater::{CompressionLvl, Compressor};
use lotse_oci::GzipWriter;

const RUNS: usize = 5;
type Encoder = (&'static str, fn(&[u8]) -> Vec<u8>);
const ENCODERS: [Encoder; 4] =
    [("lotse-layer/1", ours), ("libdeflate 6", libdeflate), ("zlib-rs 6", zlib), ("miniz_oxide 6", miniz)];

fn main() -> Result<(), Box<dyn Error>> {
    print!("| File | bytes |");
    for (name, _) in ENCODERS {
        print!(" {name} |");
    }
    println!("\n|---|---|---|---|---|---|");
    for path in std::env::args().skip(1) {
        let content = std::fs::read(&path)?;
        let mut best = [(Duration::MAX, 0); ENCODERS.len()];
        for _ in 0..RUNS {
            for (best, (_, encode)) in best.iter_mut().zip(ENCODERS) {
                let start = Instant::now();
                let bytes = encode(&content).len();
                *best = (best.0.min(start.elapsed()), bytes);
            }
        }
        let name = path.rsplit('/').next().unwrap_or(&path);
        print!("| {name} | {} |", content.len());
        for (time, bytes) in best {
            print!(" {bytes}, {:.0} MB/s |", content.len() as f64 / time.as_secs_f64() / 1e6);
        }
        println!();
    }
    Ok(())
}

fn ours(content: &[u8]) -> Vec<u8> {
    let mut gzip = GzipWriter::new(Vec::new(), NonZeroUsize::MIN);
    gzip.write_all(content).and_then(|()| gzip.finish()).expect("a vector takes everything")
}

fn libdeflate(content: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::new(6).expect("a level of libdeflate"));
    let mut out = vec![0; compressor.gzip_compress_bound(content.len())];
    let length = compressor.gzip_compress(content, &mut out).expect("a bound that suffices");
    out.truncate(length);
    out
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut out = vec![0; zlib_rs::compress_bound(content.len())];
    let (written, code) = zlib_rs::compress_slice(&mut out, content, zlib_rs::DeflateConfig::new(6));
    assert_eq!(code, zlib_rs::ReturnCode::Ok);
    let length = written.len();
    out.truncate(length);
    out
}

fn miniz(content: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec(content, 6)
}
