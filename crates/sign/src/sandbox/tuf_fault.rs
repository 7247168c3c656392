/// A way in which the repository does wrong, from its second state on. Each is one that a TUF client must refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are sentences")]
pub enum TufFault {
    // The root.
    RootSignedByOldKeysAlone,
    RootSignedByNewKeysAlone,
    RootSignedByOneKeyUnderTwoIds,
    RootSignedTwiceByOneKey,
    RootVersionSkipped,
    RootExpired,
    RootOfAnotherSpecification,
    // The timestamp.
    TimestampSignedByAnotherKey,
    TimestampExpired,
    TimestampRolledBack,
    TimestampRollsSnapshotBack,
    TimestampOfAnotherRole,
    TimestampEndless,
    TimestampMissing,
    // The snapshot.
    SnapshotSignedByAnotherKey,
    SnapshotExpired,
    SnapshotOfAnotherVersion,
    SnapshotChanged,
    SnapshotRollsTargetsBack,
    SnapshotForgetsRole,
    SnapshotMissing,
    // The targets.
    TargetsSignedByAnotherKey,
    TargetsExpired,
    TargetsOfAnotherVersion,
    TargetsChanged,
    TargetsMissing,
    TargetChanged,
    TargetTooLong,
    TargetTooShort,
    TargetMissing,
    // The delegated role, which speaks for `team/*`.
    TeamSignedByAnotherKey,
    TeamExpired,
    TeamMissing,
    TeamDelegatesInCircle,
}

impl TufFault {
    /// Every fault.
    pub const ALL: [Self; 34] = [
        Self::RootSignedByOldKeysAlone,
        Self::RootSignedByNewKeysAlone,
        Self::RootSignedByOneKeyUnderTwoIds,
        Self::RootSignedTwiceByOneKey,
        Self::RootVersionSkipped,
        Self::RootExpired,
        Self::RootOfAnotherSpecification,
        Self::TimestampSignedByAnotherKey,
        Self::TimestampExpired,
        Self::TimestampRolledBack,
        Self::TimestampRollsSnapshotBack,
        Self::TimestampOfAnotherRole,
        Self::TimestampEndless,
        Self::TimestampMissing,
        Self::SnapshotSignedByAnotherKey,
        Self::SnapshotExpired,
        Self::SnapshotOfAnotherVersion,
        Self::SnapshotChanged,
        Self::SnapshotRollsTargetsBack,
        Self::SnapshotForgetsRole,
        Self::SnapshotMissing,
        Self::TargetsSignedByAnotherKey,
        Self::TargetsExpired,
        Self::TargetsOfAnotherVersion,
        Self::TargetsChanged,
        Self::TargetsMissing,
        Self::TargetChanged,
        Self::TargetTooLong,
        Self::TargetTooShort,
        Self::TargetMissing,
        Self::TeamSignedByAnotherKey,
        Self::TeamExpired,
        Self::TeamMissing,
        Self::TeamDelegatesInCircle,
    ];
}
