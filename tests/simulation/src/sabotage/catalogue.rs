//! The catalogue in ServiceNow with a safeguard switched off: a decorator of its port.

use casebridge_core::{
    catalogue::{Changes, Held},
    failure::Failure,
};
use casebridge_servicenow::Written;
use catalog_sync::CatalogueStore;

use super::Sabotage;

/// A decorator of the catalogue in ServiceNow. Without a sabotage it passes everything on.
pub struct SabotagedCatalogue<C> {
    inner: C,
    sabotage: Option<Sabotage>,
}

impl<C> SabotagedCatalogue<C> {
    /// Returns a port with a sabotage around it.
    pub fn new(inner: C, sabotage: Option<Sabotage>) -> Self {
        Self { inner, sabotage }
    }
}

impl<C: CatalogueStore> CatalogueStore for SabotagedCatalogue<C> {
    async fn held(&self) -> Result<Held, Failure> {
        let mut held = self.inner.held().await?;
        if self.sabotage == Some(Sabotage::CatalogueDifferences) {
            held.services.clear();
            held.severities.iter_mut().for_each(|account| account.levels.clear());
        }
        Ok(held)
    }

    async fn write(&self, changes: &Changes) -> Result<Written, Failure> {
        self.inner.write(changes).await
    }
}
