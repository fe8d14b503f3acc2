//! Changes of an account's catalogue: AWS adds, renames and removes services and categories, and plans change.

use serde::Deserialize;

use super::{Catalogue, Category, LANGUAGES, SEVERITY_LEVELS, Service};

/// The most services of a catalogue: three times as many as AWS has.
const MAXIMUM_SERVICES: usize = 1000;

/// What changes. First the removals take place, then the rest.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CatalogueChange {
    /// The codes of the services that go.
    pub removed_services: Vec<String>,
    /// The categories that go.
    pub removed_categories: Vec<CategoryName>,
    /// The services that come or change.
    pub services: Vec<ServiceChange>,
    /// The codes of all severities of the account's plan. `None` if they do not change.
    pub severities: Option<Vec<String>>,
}

/// A category, by its service and its code.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CategoryName {
    /// The service's code.
    pub service_code: String,
    /// The category's code.
    pub category_code: String,
}

/// A service that comes or changes. What it leaves out stays as it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceChange {
    /// Its code.
    pub code: String,
    /// Its name. Required for a new service.
    pub name: Option<String>,
    /// All languages in which AWS handles its cases. A new service has all of AWS's.
    pub languages: Option<Vec<String>>,
    /// The categories that come or change.
    #[serde(default)]
    pub categories: Vec<CategoryChange>,
}

/// A category that comes or changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CategoryChange {
    /// Its code.
    pub code: String,
    /// Its name. Required for a new category.
    pub name: Option<String>,
}

impl CatalogueChange {
    /// Makes the changes. Fails at the first that is impossible, with a message that names it; the catalogue is then
    /// half changed.
    pub fn apply(&self, catalogue: &mut Catalogue) -> Result<(), String> {
        self.check_severities()?;
        for code in &self.removed_services {
            let before = catalogue.services.len();
            catalogue.services.retain(|service| service.code != *code);
            if catalogue.services.len() == before {
                return Err(no_service(code));
            }
        }
        for gone in &self.removed_categories {
            let service = service_mut(catalogue, &gone.service_code).ok_or_else(|| no_service(&gone.service_code))?;
            if !service.has_category(&gone.category_code) {
                return Err(format!("the service '{}' has no category '{}'", gone.service_code, gone.category_code));
            }
            service.categories.retain(|category| category.code != gone.category_code);
        }
        for change in &self.services {
            change.apply(catalogue)?;
        }
        if catalogue.services.len() > MAXIMUM_SERVICES {
            return Err(format!("a catalogue has at most {MAXIMUM_SERVICES} services"));
        }
        Ok(())
    }

    fn check_severities(&self) -> Result<(), String> {
        let Some(codes) = &self.severities else { return Ok(()) };
        let known = SEVERITY_LEVELS.map(|level| level.code);
        let all_known = codes.iter().all(|code| known.contains(&code.as_str()));
        if codes.is_empty() || !all_known {
            return Err(format!("'severities' must have one or more of {}", known.join(", ")));
        }
        Ok(())
    }
}

impl ServiceChange {
    fn apply(&self, catalogue: &mut Catalogue) -> Result<(), String> {
        if let Some(wrong) = self.languages.iter().flatten().find(|language| !LANGUAGES.contains(&language.as_str())) {
            return Err(format!("'{wrong}' is not a language of AWS Support: {}", LANGUAGES.join(", ")));
        }
        if catalogue.service(&self.code).is_none() {
            catalogue.services.push(Service {
                code: self.code.clone(),
                name: new_name(self.name.as_ref(), &self.code)?,
                categories: Vec::new(),
                languages: LANGUAGES.map(ToOwned::to_owned).to_vec(),
            });
        }
        let service = service_mut(catalogue, &self.code).ok_or_else(|| no_service(&self.code))?;
        if let Some(name) = &self.name {
            service.name.clone_from(name);
        }
        if let Some(languages) = &self.languages {
            service.languages.clone_from(languages);
        }
        for change in &self.categories {
            let known = service.categories.iter_mut().find(|category| category.code == change.code);
            match (known, &change.name) {
                (Some(category), Some(name)) => category.name.clone_from(name),
                (Some(_), None) => {}
                (None, name) => {
                    let name = new_name(name.as_ref(), &change.code)?;
                    service.categories.push(Category { code: change.code.clone(), name });
                }
            }
        }
        Ok(())
    }
}

fn service_mut<'a>(catalogue: &'a mut Catalogue, code: &str) -> Option<&'a mut Service> {
    catalogue.services.iter_mut().find(|service| service.code == code)
}

fn new_name(name: Option<&String>, code: &str) -> Result<String, String> {
    name.cloned().ok_or_else(|| format!("'{code}' is new and needs a 'name'"))
}

fn no_service(code: &str) -> String {
    format!("the catalogue has no service '{code}'")
}
