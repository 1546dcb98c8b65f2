//! What is made of the person's profile, and the questions that are asked of it.

use super::make::Maker;
use super::prior::Prior;
use super::request::{Interests, Request};
use super::{Recommender, Scenarios, Slate};
use crate::error::{Error, Result, quoted};
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::kind::Kind;
use crate::load::Index;
use crate::search::{Effort, Query};
use crate::taste::{
    ColdStart, Entry, Event, HistoryItem, Interaction, Interest, PairDistances, Past, Profile,
    SummaryColumns, Taste, TasteOptions, TasteSummary, interests_by, summary,
};

const HOUR_MS: i64 = 3_600_000;
/// How many of the best items by taste tell how much is known of it.
const N_CROSSING: usize = 16;

/// What was made of the profile for one kind of request, and serves the next of its kind.
pub(super) struct Known {
    /// With its moment at the beginning of an hour: ages are whole hours.
    options: TasteOptions,
    taste: Option<Taste>,
    /// See [`Recommender::doubt`].
    doubt: Option<f64>,
    interests: Option<KnownInterests>,
}

struct KnownInterests {
    most: Interests,
    labels: Vec<String>,
    found: Vec<Interest>,
}

impl Recommender {
    /// Reads a request from JSON, with the scenarios of this recommender; see
    /// [`Request::from_json`].
    ///
    /// # Errors
    /// As [`Request::from_json`].
    pub fn read_request(&self, json: &str) -> Result<Request> {
        let own = self.index.scenarios()?;
        let own = if own.is_empty() { Scenarios::default() } else { Scenarios::from_json(own)? };
        Request::from_json(json, &self.scenarios.clone().before(own))
    }

    /// Sets the scenarios that requests may name beside those of the archive. Of two with one name
    /// these count.
    pub fn set_scenarios(&mut self, scenarios: Scenarios) {
        self.scenarios = scenarios;
    }

    /// What this person may like. Items they know are left out unless
    /// [`Request::include_seen`] is set.
    ///
    /// Where nothing is known of their taste, popularity orders the answer
    /// ([`Basis::Prior`](super::Basis::Prior)), where the archive knows it; with what is known,
    /// popularity counts less. Cost: one search, or one for each interest; and for a slate that is
    /// composed, what [`super::compose`] says.
    ///
    /// # Errors
    /// [`Error::Arg`] for a request out of its ranges, [`Error::Filter`] for a condition that does
    /// not compile, [`Error::Engine`] where the fold-in fails.
    pub fn recommend(&mut self, request: &Request) -> Result<Slate> {
        let (mut allowed, warnings) = self.allowed_for(request)?;
        if !request.include_seen {
            self.leave_out_seen(&mut allowed)?;
        }
        let slate = self.make(request, &allowed, None, warnings);
        self.allowed = allowed;
        slate
    }

    /// These items in the order for this person, whether known or not: a list that comes from
    /// elsewhere. Those that the archive does not have are told in the warnings and left out, as
    /// are those that the request's conditions exclude.
    ///
    /// # Errors
    /// As [`Recommender::recommend`].
    pub fn rank(&mut self, ids: &[String], request: &Request) -> Result<Slate> {
        let (allowed, mut warnings) = self.allowed_for(request)?;
        let mut given = Vec::with_capacity(ids.len());
        for id in ids {
            match self.index.ordinal(id)? {
                Some(item) if allowed.contains(item) => given.push(item),
                Some(_) => {}
                None => warnings.push(format!("rank: the archive has no item {}", quoted(id))),
            }
        }
        let mut these = ItemSet::empty(self.index.len());
        given.iter().for_each(|item| these.insert(*item));
        self.allowed = allowed;
        self.make(request, &these, Some(&given), warnings)
    }

    /// What somebody may like who likes and dislikes these items, whatever the profile says: the
    /// same algebra as for a person, for examples. The examples do not come back.
    ///
    /// # Errors
    /// As [`Recommender::recommend`]; [`Error::Arg`] for an example that the archive does not have.
    pub fn discover(
        &mut self,
        like: &[String],
        dislike: &[String],
        request: &Request,
    ) -> Result<Slate> {
        let (mut allowed, warnings) = self.allowed_for(request)?;
        // Examples are of no time and no situation: nothing of them fades.
        let options = TasteOptions::default();
        let mut examples = Profile::default();
        let likes = like.iter().map(|id| ("like", Kind::Like, id));
        let dislikes = dislike.iter().map(|id| ("dislike", Kind::Dislike, id));
        for (sequence, (path, kind, id)) in (0..).zip(likes.chain(dislikes)) {
            let Some(item) = self.index.ordinal(id)? else {
                return Err(Error::arg(path, "ids of items of this archive", quoted(id)));
            };
            allowed.remove(item);
            examples.append(Entry {
                device: "examples".into(),
                sequence,
                at_ms: 0.0,
                event: Event::Interaction(Interaction::new(id.as_str(), kind)),
            })?;
        }
        let past = Past::of(&examples, &self.index)?;
        let mut known = Known::of(&self.index, &past, options, None)?;
        // Distances of their own: those of the profile stay for the profile.
        known.find_interests(&self.index, request, &mut PairDistances::default())?;
        let own = self.known.replace(known);
        // Conditions, and what was shown when, are the person's still.
        let slate = self.make_with(request, &allowed, None, warnings, None);
        self.known = own;
        self.allowed = allowed;
        slate
    }

    /// One slate for each of the person's interests, the most important first: rows of a page. No
    /// item comes twice. A request that does not say how many gets as many as the history has.
    ///
    /// # Errors
    /// As [`Recommender::recommend`].
    pub fn rows(&mut self, request: &Request) -> Result<Vec<Slate>> {
        let (mut allowed, warnings) = self.allowed_for(request)?;
        if !request.include_seen {
            self.leave_out_seen(&mut allowed)?;
        }
        let most = match request.interests {
            Interests::Most(0) => Interests::Auto,
            most => most,
        };
        self.know(&Request { interests: most, ..request.clone() })?;
        let found = self.known.as_ref().map_or(&[][..], Known::interests).to_vec();
        let mut rows = Vec::with_capacity(found.len());
        for interest in &found {
            let slate =
                self.make_with(request, &allowed, None, warnings.clone(), Some(interest))?;
            slate.items.iter().for_each(|item| allowed.remove(item.ordinal));
            rows.push(slate);
        }
        self.allowed = allowed;
        Ok(rows)
    }

    /// The fold-in of the profile as a request asks for it: what [`Recommender::recommend`] asks
    /// the archive with. `None` where nothing is known of the person's taste.
    ///
    /// # Errors
    /// As [`Taste::fold_in`].
    pub fn taste(&mut self, request: &Request) -> Result<Option<&Taste>> {
        self.know(request)?;
        Ok(self.known.as_ref().and_then(|known| known.taste.as_ref()))
    }

    /// What is to be said of the person's taste; `None` where nothing is known. See [`summary`].
    ///
    /// # Errors
    /// As [`Taste::fold_in`] and [`summary`].
    pub fn summary(
        &mut self,
        request: &Request,
        columns: &SummaryColumns<'_>,
    ) -> Result<Option<TasteSummary>> {
        self.know(request)?;
        let taste = self.known.as_ref().and_then(|known| known.taste.as_ref());
        taste.map(|taste| summary(&self.index, taste.history(), columns)).transpose()
    }

    /// Items to ask a new person about: few that tell much. See [`ColdStart::informative`].
    ///
    /// # Errors
    /// As [`Recommender::recommend`].
    pub fn onboarding(&mut self, request: &Request) -> Result<Vec<Ordinal>> {
        let (mut allowed, _) = self.allowed_for(request)?;
        if !request.include_seen {
            self.leave_out_seen(&mut allowed)?;
        }
        self.know(request)?;
        let taste = self.known.as_ref().and_then(|known| known.taste.as_ref());
        let cold_start = match &self.cold_start {
            Some(cold_start) => cold_start,
            None => self.cold_start.insert(ColdStart::new(&self.index)?),
        };
        let found = cold_start.informative(&self.index, taste, &allowed, request.k, request.seed);
        self.allowed = allowed;
        found
    }

    /// What a request allows, earlier pages left out.
    fn allowed_for(&mut self, request: &Request) -> Result<(ItemSet, Vec<String>)> {
        request.check()?;
        request.check_places()?;
        let (mut allowed, warnings) = self.allowed(&request.limits())?;
        for id in &request.after {
            if let Some(item) = self.index.ordinal(id)? {
                allowed.remove(item);
            }
        }
        Ok((allowed, warnings))
    }

    fn leave_out_seen(&mut self, allowed: &mut ItemSet) -> Result<()> {
        let past = self.reading.past(&self.profile, &self.index)?;
        past.seen_items().for_each(|item| allowed.remove(item));
        Ok(())
    }

    /// Makes of the profile what a request asks for, where that was not done since it changed.
    fn know(&mut self, request: &Request) -> Result<()> {
        let mut options = request.taste_options();
        options.now_ms = options.now_ms.map(|now| now.saturating_sub(now.rem_euclid(HOUR_MS)));
        if self.known.as_ref().is_none_or(|known| known.options != options) {
            self.forget_known();
            let past = self.reading.past(&self.profile, &self.index)?;
            let before = self.folded_before.take();
            self.known = Some(Known::of(&self.index, &past, options, before)?);
        }
        match &mut self.known {
            Some(known) => known.find_interests(&self.index, request, &mut self.distances),
            None => Ok(()),
        }
    }

    /// Keeps of what is known what serves the next fold-in.
    pub(super) fn forget_known(&mut self) {
        if let Some(known) = self.known.take() {
            self.folded_before = known.taste;
        }
    }

    fn make(
        &mut self,
        request: &Request,
        allowed: &ItemSet,
        given: Option<&[Ordinal]>,
        warnings: Vec<String>,
    ) -> Result<Slate> {
        self.know(request)?;
        self.make_with(request, allowed, given, warnings, None)
    }

    /// With `only` one of the interests, or else all that the request asks for.
    fn make_with(
        &mut self,
        request: &Request,
        allowed: &ItemSet,
        given: Option<&[Ordinal]>,
        warnings: Vec<String>,
        only: Option<&Interest>,
    ) -> Result<Slate> {
        let doubt = self.doubt()?;
        let prior = self.prior.as_ref().and_then(Option::as_ref);
        let known = self.known.as_ref();
        let maker = Maker {
            index: &self.index,
            past: &self.reading.past(&self.profile, &self.index)?,
            taste: known.and_then(|known| known.taste.as_ref()),
            interests: match only {
                Some(interest) => std::slice::from_ref(interest),
                None if request.interests == Interests::Most(0) => &[],
                None => known.map_or(&[], Known::interests),
            },
            row: only,
            prior,
            doubt,
            searcher: &mut self.searcher,
            neighbours: &mut self.neighbours,
            cache: &mut self.cache,
            request,
            allowed,
        };
        maker.make(given, warnings)
    }
}

impl Recommender {
    /// How little is known of the taste, from 1 (nothing) towards 0: the share of the uncertainty
    /// about what the taste likes best that is left, to the eighth power. 1 too where the archive
    /// has no prior and nobody asks.
    ///
    /// Told by the best that the person does not know, whatever a request leaves out: so an item's
    /// score does not depend on filters, pages and lengths of answers.
    fn doubt(&mut self) -> Result<f64> {
        let has_prior = match &self.prior {
            Some(prior) => prior.is_some(),
            None => self.prior.insert(Prior::of(&self.index)?).is_some(),
        };
        let Some(Known { taste: Some(taste), doubt, .. }) = &mut self.known else {
            return Ok(1.0);
        };
        if !has_prior {
            return Ok(1.0);
        }
        if let Some(doubt) = doubt {
            return Ok(*doubt);
        }
        let cold_start = match &self.cold_start {
            Some(cold_start) => cold_start,
            None => self.cold_start.insert(ColdStart::new(&self.index)?),
        };
        let mut unknown = ItemSet::full(self.index.len());
        taste.history().iter().for_each(|h| unknown.remove(h.item));
        let query = Query::taste(taste.vector().to_vec())?;
        let index = &self.index;
        let best = self.searcher.search(index, &query, N_CROSSING, &unknown, Effort::Usual);
        let best: Vec<Ordinal> = best.iter().map(|s| s.ordinal).collect();
        let left = 1.0 - cold_start.crossing(index, Some(taste), &best);
        let fourth = (left * left) * (left * left);
        Ok(*doubt.insert(fourth * fourth))
    }
}

impl Known {
    fn of(
        index: &Index,
        past: &Past<'_>,
        options: TasteOptions,
        before: Option<Taste>,
    ) -> Result<Self> {
        let taste = Taste::fold_in_after(index, past, &options, before)?;
        Ok(Self { options, taste, doubt: None, interests: None })
    }

    /// The interests that a request asks for, where that was not done before.
    fn find_interests(
        &mut self,
        index: &Index,
        request: &Request,
        distances: &mut PairDistances,
    ) -> Result<()> {
        let most = match request.interests {
            Interests::Most(0) => return Ok(()),
            Interests::Most(most) => Some(most),
            Interests::Auto => None,
        };
        let is_known = self
            .interests
            .as_ref()
            .is_some_and(|i| i.most == request.interests && i.labels == request.labels);
        if !is_known {
            let labels: Vec<&str> = request.labels.iter().map(String::as_str).collect();
            let mut found = match &self.taste {
                Some(taste) => {
                    let part = |members: &[HistoryItem]| {
                        let mut set = ItemSet::empty(index.len());
                        members.iter().for_each(|member| set.insert(member.item));
                        Ok(taste.part_of(|item| set.contains(item)))
                    };
                    interests_by(index, taste.history(), most, &labels, distances, &part)?
                }
                None => Vec::new(),
            };
            let total: f64 = found.iter().map(|interest| interest.importance).sum();
            found.iter_mut().for_each(|interest| interest.importance /= total);
            let labels = request.labels.clone();
            self.interests = Some(KnownInterests { most: request.interests, labels, found });
        }
        Ok(())
    }

    fn interests(&self) -> &[Interest] {
        self.interests.as_ref().map_or(&[], |interests| &interests.found)
    }
}
