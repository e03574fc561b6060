//! `hirenet report --interview`

use std::path::{Path, PathBuf};

use hirenet_core::Code;
use hirenet_store::Store;

use crate::commands::report::write_page;
use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Which page, and where to.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) struct PageOf<'a> {
    /// The tenant's id of the interview.
    pub(in crate::commands) interview: &'a str,
    /// Whose; `None`: the only tenant there is.
    pub(in crate::commands) tenant: Option<&'a str>,
    /// The page to write.
    pub(in crate::commands) out: &'a Path,
    /// Folder that relative media addresses are looked for in.
    pub(in crate::commands) media: Option<&'a Path>,
    /// Put the recordings into the page.
    pub(in crate::commands) embed: bool,
}

/// Makes the page of an interview from what is stored of it.
pub(in crate::commands) fn write_page_of(config: &Config, page: PageOf<'_>) -> Result<Outcome, Failure> {
    let stored = super::block_on(async {
        let store = Store::connect(&config.store).await?;
        let tenant = super::tenant(&store, page.tenant.map(str::to_owned)).await?;
        Ok(store.report(&tenant, page.interview).await?)
    })?;
    let missing = "the tenant has no such interview, or the active bundle has not scored it";
    let stored = stored.ok_or_else(|| Failure::new(Code::InterviewUnknown, missing))?;
    let search: Vec<PathBuf> = page.media.map(Path::to_path_buf).into_iter().collect();
    write_page(&stored.assessment, Some(stored.title), search, page.out, page.embed)?;
    Ok(Outcome::Done)
}
