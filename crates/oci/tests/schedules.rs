//! The protocol against a registry, a network and processes that fail in every way, by seeds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test states what must hold"
)]

mod simulation;

use lotse_oci::Error;
use lotse_oci::distribution::UploadOptions;
use lotse_oci::registry::{Fault, Options};
use simulation::{Chance, Mishap, World, content};

/// 10,000 seeds: an upload under random faults and kills ends with the right blob or a typed error, sends nothing twice that
/// the registry has, and shows its proof to nobody else.
#[test]
fn ten_thousand_schedules_of_faults_never_make_a_wrong_blob() {
    let (mut failures, mut kills, mut uploaded) = (0, 0, 0);
    for seed in 0..10_000 {
        let mut chance = Chance::new(seed);
        let size = chance.below(1000);
        let chunk = 40 + chance.below(300);
        let keeps = !chance.one_in(3);
        let mut world = World::new(seed, keeps);
        world.rate = chance.below(4);
        let blob = content(seed, size as usize);
        let outcome = world.upload(&blob, UploadOptions { chunk, restarts: 8 }, &mut chance);
        kills += world.kills;
        assert!(!world.leaked, "seed {seed}: proof went to another host");
        match outcome {
            Ok(uploaded_by) => {
                uploaded += 1;
                assert_eq!(world.stored(&blob).as_deref(), Some(&blob[..]), "seed {seed}: a corrupt blob");
                if keeps && !world.forgetful {
                    assert_eq!(uploaded_by.restarts, 0, "seed {seed}: begun anew where nothing was lost");
                    assert_eq!(world.again, 0, "seed {seed}: sent again what the registry had");
                }
            }
            Err(Error::Registry(_) | Error::Broken { .. }) => {
                failures += 1;
                let stored = world.stored(&blob);
                assert!(stored.is_none() || stored.as_deref() == Some(&blob[..]), "seed {seed}");
            }
            Err(other) => panic!("seed {seed}: {other:?}"),
        }
    }
    println!("{uploaded} uploaded, {failures} given up, {kills} kills");
    assert!(uploaded > 9_000, "{uploaded} uploaded, {failures} given up");
    assert!(kills > 3_000, "{kills} kills");
}

#[test]
fn an_upload_killed_at_every_boundary_and_at_a_thousand_points_sends_one_piece_again_at_most() {
    let blob = content(7, 10_000);
    let options = UploadOptions { chunk: 500, restarts: 0 };
    // At every boundary: after each answer, before the next piece.
    for boundary in 0..20 {
        let mut world = World::new(boundary, true);
        let mut chance = Chance::new(boundary);
        world.plan = vec![(boundary, Mishap::Kill)];
        let uploaded = world.upload(&blob, options, &mut chance).unwrap();
        assert_eq!((world.kills, world.again), (1, 0), "boundary {boundary}");
        assert_eq!(uploaded.restarts, 0);
        assert_eq!(world.stored(&blob).as_deref(), Some(&blob[..]));
    }
    // Within pieces.
    for seed in 0..1000 {
        let mut world = World::new(seed, true);
        let mut chance = Chance::new(seed);
        let (piece, after) = (chance.below(20), chance.below(500));
        world.plan = vec![(piece, Mishap::KillWithin { after })];
        let uploaded = world.upload(&blob, options, &mut chance).unwrap();
        assert_eq!((world.kills, uploaded.restarts), (1, 0), "seed {seed}");
        assert_eq!(world.again, 0, "seed {seed}: sent again what the registry had");
        assert_eq!(world.stored(&blob).as_deref(), Some(&blob[..]));
    }
}

#[test]
fn downloads_under_faults_end_right_and_fetch_nothing_twice() {
    let mut ended = 0;
    for seed in 0..3000 {
        let mut chance = Chance::new(seed);
        let size = chance.below(3000);
        let mut world = World::new(seed, true);
        world.rate = chance.below(4);
        let blob = content(seed, size as usize);
        match world.download(&blob, &mut chance) {
            Ok(found) => {
                ended += 1;
                assert!(found == blob, "seed {seed}: wrong content");
                if !world.forgetful {
                    assert!(world.received <= size, "seed {seed}: {} of {size} bytes", world.received);
                }
            }
            Err(Error::Registry(_) | Error::Broken { .. } | Error::Mismatch(_) | Error::Size { .. }) => {}
            Err(other) => panic!("seed {seed}: {other:?}"),
        }
        assert!(!world.leaked, "seed {seed}: proof went to another host");
    }
    assert!(ended > 2_500, "{ended}");
}

#[test]
fn writers_of_one_list_lose_nothing_in_any_order_of_their_steps() {
    for seed in 0..600 {
        for honours_if_match in [true, false] {
            let mut chance = Chance::new(seed);
            let options = Options { referrers_api: false, honours_if_match, ..Options::default() };
            let lost = simulation::attach_at_once(options, 4, &mut chance);
            assert_eq!(lost, 0, "seed {seed}, honours_if_match: {honours_if_match}");
        }
    }
}

#[test]
fn faults_are_faults() {
    // The simulation would prove nothing if its faults did nothing.
    assert_eq!(simulation::check(Fault::RangeRefused), 416);
    assert_eq!(simulation::check(Fault::Status { status: 503, retry_after: None }), 503);
    assert_eq!(simulation::check(Fault::ExpireTokens { after: 0 }), 401);
    assert_eq!(simulation::check(Fault::Redirect { to: "https://x.example".to_owned() }), 307);
}
