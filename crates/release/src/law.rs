//! Which points of which acts a check supports. Data with source and mark: a reading, no legal advice.

/// An act. Plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Act {
    /// The word in `regimes`.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Its number in EUR-Lex.
    pub celex: &'static str,
    /// From when on it applies.
    pub applies: &'static str,
}

/// That a requirement supports points of an act. Plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// The requirement, R1 to R19.
    pub requirement: &'static str,
    /// The act, by its id.
    pub act: &'static str,
    /// The points, in the act's own numbering.
    pub points: &'static [&'static str],
    /// Why.
    pub reason: &'static str,
}

/// When the texts were read, and how sure the reading is.
pub const READ: &str = "2026-11";

/// The acts, in the order of their numbers.
pub const ACTS: &[Act] = &[
    Act { id: "gdpr", name: "GDPR", celex: "32016R0679", applies: "25 May 2018" },
    Act { id: "dora", name: "DORA", celex: "32022R2554", applies: "17 January 2025" },
    Act { id: "nis2", name: "NIS-2", celex: "32022L2555", applies: "18 October 2024 (by national law)" },
    Act { id: "data-act", name: "Data Act", celex: "32023R2854", applies: "12 September 2025" },
    Act {
        id: "cra",
        name: "CRA",
        celex: "32024R2847",
        applies: "11 December 2027, reporting from 11 September 2026",
    },
];

macro_rules! supports {
    ($($r:literal: $reason:literal { $($act:literal: [$($point:literal),*]),* $(,)? })*) => {
        &[$($(Support { requirement: $r, act: $act, points: &[$($point),*], reason: $reason },)*)*]
    };
}

/// Every support, by requirement and act. Points: `Annex I(I)(2)(f)` is part I point 2 letter f of CRA's annex I.
pub const SUPPORTS: &[Support] = supports! {
    "R1": "others can rebuild: nothing slipped in between" {
        "cra": ["Annex I(I)(2)(f)", "Annex VII(2)(c)"], "nis2": ["21(2)(e)"] }
    "R2": "origin and integrity are checked before the start" {
        "cra": ["Annex I(I)(2)(f)", "Annex I(II)(7)"], "nis2": ["21(2)(d)", "21(2)(h)"], "dora": ["9(3)"], "gdpr": ["32(1)(b)"] }
    "R3": "changes are recorded, and the record shows tampering" {
        "cra": ["Annex I(I)(2)(l)", "Annex VII(2)(c)"], "nis2": ["21(2)(b)", "21(2)(f)"], "dora": ["9(4)(e)"], "gdpr": ["5(2)", "30(1)(g)"] }
    "R4": "configuration is reviewed text, drift shows, and it can be taken along" {
        "cra": ["Annex I(I)(2)(f)"], "nis2": ["21(2)(e)"], "dora": ["9(4)(e)"], "data-act": ["30(5)"] }
    "R5": "updates cost no availability, so none is put off" {
        "cra": ["Annex I(I)(2)(h)", "Annex I(II)(8)"], "nis2": ["21(2)(c)"], "gdpr": ["32(1)(b)"] }
    "R6": "a leaked key opens what access control closed" {
        "cra": ["Annex I(I)(2)(d)", "Annex I(I)(2)(e)"], "nis2": ["21(2)(h)", "21(2)(i)"], "dora": ["9(4)(d)"], "gdpr": ["32(1)(b)"] }
    "R7": "secrets change at intervals: a stolen one ends" {
        "cra": ["Annex I(I)(2)(d)", "Annex I(I)(2)(k)"], "nis2": ["21(2)(h)", "21(2)(i)"], "dora": ["9(4)(d)"], "gdpr": ["32(1)(b)"] }
    "R8": "the network is segmented, its connections are documented" {
        "cra": ["Annex I(I)(2)(i)", "Annex I(I)(2)(j)", "Annex I(I)(2)(k)"], "nis2": ["21(2)(e)"], "dora": ["9(4)(b)"], "gdpr": ["32(1)(b)"] }
    "R9": "workloads are hardened by default" {
        "cra": ["Annex I(I)(2)(b)", "Annex I(I)(2)(j)", "Annex I(I)(2)(k)"], "nis2": ["21(2)(e)"], "gdpr": ["25(1)", "32(1)(b)"] }
    "R10": "least privilege, shown" {
        "cra": ["Annex I(I)(2)(d)"], "nis2": ["21(2)(i)"], "dora": ["9(4)(c)"], "gdpr": ["32(1)(b)"] }
    "R11": "there is less to attack and less to authorise" {
        "cra": ["Annex I(I)(2)(j)"], "nis2": ["21(2)(e)"] }
    "R12": "known holes are found, counted and decided" {
        "cra": ["Annex I(I)(2)(a)", "Annex I(II)(1)", "Annex I(II)(2)", "Annex I(II)(3)"], "nis2": ["21(2)(e)"], "dora": ["25(1)"], "gdpr": ["32(1)(d)"] }
    "R13": "one approved step, not many hidden ones" {
        "cra": ["Annex I(II)(8)"], "nis2": ["21(2)(e)"], "dora": ["9(4)(e)"] }
    "R14": "no data is lost in a change, and the way back stays open" {
        "cra": ["Annex I(I)(2)(f)", "Annex I(I)(2)(h)"], "nis2": ["21(2)(c)", "21(2)(e)"], "gdpr": ["5(1)(f)"] }
    "R15": "faults are detected against agreed service levels" {
        "cra": ["Annex I(I)(2)(l)"], "nis2": ["21(2)(b)", "21(2)(f)"], "dora": ["10", "30(3)(a)"], "gdpr": ["32(1)(d)", "33"] }
    "R16": "features are off by default, off again fast, and owned" {
        "cra": ["Annex I(I)(2)(b)", "Annex I(I)(2)(k)"], "nis2": ["21(2)(e)"] }
    "R17": "service is restored in time" {
        "cra": ["Annex I(I)(2)(h)", "Annex I(II)(8)"], "nis2": ["21(2)(c)"], "dora": ["11", "12"], "gdpr": ["32(1)(c)"] }
    "R18": "a fault or break-in stays small" {
        "cra": ["Annex I(I)(2)(h)", "Annex I(I)(2)(i)", "Annex I(I)(2)(k)"], "nis2": ["21(2)(e)"], "dora": ["9(4)(b)"], "gdpr": ["32(1)(b)"] }
    "R19": "there is review and test before each change" {
        "cra": ["Annex I(II)(3)", "Annex VII(2)(c)"], "nis2": ["21(2)(e)", "21(2)(f)"], "dora": ["24", "25(1)"], "gdpr": ["25(1)"] }
};

/// What a requirement supports in an act, if anything.
#[must_use]
pub fn support(requirement: &str, act: &str) -> Option<&'static Support> {
    SUPPORTS.iter().find(|support| support.requirement == requirement && support.act == act)
}
