//! Kinds of interactions: common to the profile, which records them, and to the language, which
//! counts them.

/// What a person did with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Began it.
    Play,
    /// Finished it.
    Complete,
    /// Said they like it.
    Like,
    /// Said they do not.
    Dislike,
    /// Left it early.
    Skip,
    /// Kept it for later.
    Save,
    /// Bought it.
    Purchase,
    /// Wants never to see it again.
    Hide,
    /// Rated it; the weight carries the rating, and is required.
    Rating,
    /// Was shown it. Carries no taste.
    Impression,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Play,
        Self::Complete,
        Self::Like,
        Self::Dislike,
        Self::Skip,
        Self::Save,
        Self::Purchase,
        Self::Hide,
        Self::Rating,
        Self::Impression,
    ];

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The signed weight of an interaction that brings none of its own. A like is the unit; what
    /// people do by the way says less than what they say, and negatives less than positives,
    /// since a skip has many reasons. `None` for ratings, whose weight is the rating.
    #[must_use]
    pub const fn default_weight(self) -> Option<f64> {
        match self {
            Self::Play => Some(0.5),
            Self::Complete | Self::Like | Self::Save => Some(1.0),
            Self::Purchase => Some(1.5),
            Self::Skip => Some(-0.25),
            Self::Dislike | Self::Hide => Some(-1.0),
            Self::Impression => Some(0.0),
            Self::Rating => None,
        }
    }

    /// Whether the person knows the item afterwards, so that it is not recommended again.
    #[must_use]
    pub const fn is_seen(self) -> bool {
        !matches!(self, Self::Impression)
    }

    /// Whether it is an opinion that the person stated. A later statement about an item replaces
    /// an earlier one (who rates 3 and then 5 means 5), while what people do adds up.
    #[must_use]
    pub const fn is_statement(self) -> bool {
        matches!(self, Self::Like | Self::Dislike | Self::Hide | Self::Rating)
    }

    /// The name in logs and in JavaScript.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Play => "play",
            Self::Complete => "complete",
            Self::Like => "like",
            Self::Dislike => "dislike",
            Self::Skip => "skip",
            Self::Save => "save",
            Self::Purchase => "purchase",
            Self::Hide => "hide",
            Self::Rating => "rating",
            Self::Impression => "impression",
        }
    }
}
