//! What AWS Support offers: services with their categories, severities, languages.

mod change;

use std::sync::{Arc, LazyLock};

use serde::Serialize;

pub use change::{CatalogueChange, CategoryChange, CategoryName, ServiceChange};

/// A service that a case can be about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// The code used in requests.
    pub code: String,
    /// The name people read.
    pub name: String,
    /// The categories of this service.
    pub categories: Vec<Category>,
    /// The languages in which AWS handles its cases. DescribeServices does not show them.
    #[serde(skip)]
    pub languages: Vec<String>,
}

/// A category of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Category {
    /// The code used in requests.
    pub code: String,
    /// The name people read.
    pub name: String,
}

/// A severity level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SeverityLevel {
    /// The code used in requests.
    pub code: &'static str,
    /// The name people read.
    pub name: &'static str,
}

/// Everything that cases of one account can be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// The services, in the order in which AWS lists them.
    pub services: Vec<Service>,
}

impl Catalogue {
    /// Returns the services that every account has at first.
    pub fn documented() -> Arc<Self> {
        static DOCUMENTED: LazyLock<Arc<Catalogue>> =
            LazyLock::new(|| Arc::new(Catalogue { services: SERVICES.iter().map(ServiceEntry::service).collect() }));
        DOCUMENTED.clone()
    }

    /// Returns the service with this code. Returns `None` if there is none.
    pub fn service(&self, code: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.code == code)
    }
}

impl Service {
    /// Whether it has a category.
    pub fn has_category(&self, code: &str) -> bool {
        self.categories.iter().any(|category| category.code == code)
    }

    /// Whether AWS handles its cases in a language.
    pub fn is_handled_in(&self, language: &str) -> bool {
        self.languages.iter().any(|known| known == language)
    }
}

/// A service in the table below.
struct ServiceEntry {
    code: &'static str,
    name: &'static str,
    categories: &'static [CategoryEntry],
}

/// A category in the table below.
#[derive(Clone, Copy)]
struct CategoryEntry {
    code: &'static str,
    name: &'static str,
}

impl ServiceEntry {
    fn service(&self) -> Service {
        let category = |entry: &CategoryEntry| Category { code: entry.code.to_owned(), name: entry.name.to_owned() };
        Service {
            code: self.code.to_owned(),
            name: self.name.to_owned(),
            categories: self.categories.iter().map(category).collect(),
            languages: LANGUAGES.map(ToOwned::to_owned).to_vec(),
        }
    }
}

/// The service of a case whose creator named none.
pub const DEFAULT_SERVICE: &str = "general-info";
/// The category of a case whose creator named none. Every service has it.
pub const DEFAULT_CATEGORY: &str = "other";
/// The severity of a case whose creator named none. Every plan has it.
pub const DEFAULT_SEVERITY: &str = "low";
/// The language of a case whose creator named none.
pub const DEFAULT_LANGUAGE: &str = "en";
/// The issue type of a case whose creator named none.
pub const DEFAULT_ISSUE_TYPE: &str = "technical";

/// The languages in which AWS Support answers. Source: AWS Support API, `language`.
pub const LANGUAGES: [&str; 8] = ["en", "zh", "ja", "es", "pt", "fr", "ko", "tr"];
/// Their names, as DescribeSupportedLanguages writes them ("e.g. ENGLISH"), in the same order.
pub const LANGUAGE_NAMES: [&str; 8] =
    ["ENGLISH", "CHINESE", "JAPANESE", "SPANISH", "PORTUGUESE", "FRENCH", "KOREAN", "TURKISH"];
/// The kinds of issues.
pub const ISSUE_TYPES: [&str; 2] = ["technical", "customer-service"];

/// All severity levels, mildest first. Which of them an account may use depends on its plan.
pub const SEVERITY_LEVELS: [SeverityLevel; 5] = [
    SeverityLevel { code: "low", name: "General guidance" },
    SeverityLevel { code: "normal", name: "System impaired" },
    SeverityLevel { code: "high", name: "Production system impaired" },
    SeverityLevel { code: "urgent", name: "Production system down" },
    SeverityLevel { code: "critical", name: "Business-critical system down" },
];

const OTHER: CategoryEntry = CategoryEntry { code: DEFAULT_CATEGORY, name: "Other" };
const GENERAL_GUIDANCE: CategoryEntry = CategoryEntry { code: "general-guidance", name: "General Guidance" };
const PERFORMANCE: CategoryEntry = CategoryEntry { code: "performance", name: "Performance" };
const CONNECTIVITY: CategoryEntry = CategoryEntry { code: "connectivity", name: "Connectivity" };
const PERMISSIONS: CategoryEntry = CategoryEntry { code: "permissions", name: "Permissions" };

/// Some of the services of AWS, as DescribeServices shows them.
const SERVICES: [ServiceEntry; 8] = [
    ServiceEntry {
        code: DEFAULT_SERVICE,
        name: "General Info and Getting Started",
        categories: &[
            CategoryEntry { code: "charges", name: "How Will I Be Charged?" },
            CategoryEntry { code: "gdpr-queries", name: "Data Privacy Query" },
            CategoryEntry { code: "using-aws", name: "Using AWS & Services" },
            CategoryEntry { code: "free-tier", name: "Free Tier" },
            CategoryEntry { code: "security-and-compliance", name: "Security & Compliance" },
            CategoryEntry { code: "account-structure", name: "Account Structure" },
            OTHER,
        ],
    },
    ServiceEntry {
        code: "account-management",
        name: "Account",
        categories: &[CategoryEntry { code: "billing", name: "Billing" }, GENERAL_GUIDANCE, OTHER],
    },
    ServiceEntry {
        code: "amazon-elastic-compute-cloud-linux",
        name: "Elastic Compute Cloud (EC2 - Linux)",
        categories: &[
            CategoryEntry { code: "instance-issue", name: "Instance Issue" },
            CONNECTIVITY,
            PERFORMANCE,
            GENERAL_GUIDANCE,
            OTHER,
        ],
    },
    ServiceEntry {
        code: "amazon-relational-database-service-postgresql",
        name: "Relational Database Service (PostgreSQL)",
        categories: &[
            CategoryEntry { code: "database-issue", name: "Database Issue" },
            CONNECTIVITY,
            PERFORMANCE,
            GENERAL_GUIDANCE,
            OTHER,
        ],
    },
    ServiceEntry {
        code: "amazon-simple-storage-service",
        name: "Simple Storage Service (S3)",
        categories: &[PERMISSIONS, PERFORMANCE, GENERAL_GUIDANCE, OTHER],
    },
    ServiceEntry {
        code: "amazon-virtual-private-cloud",
        name: "Virtual Private Cloud (VPC)",
        categories: &[CONNECTIVITY, GENERAL_GUIDANCE, OTHER],
    },
    ServiceEntry {
        code: "aws-identity-and-access-management",
        name: "Identity and Access Management (IAM)",
        categories: &[PERMISSIONS, GENERAL_GUIDANCE, OTHER],
    },
    ServiceEntry {
        code: "aws-lambda",
        name: "Lambda",
        categories: &[
            CategoryEntry { code: "function-issue", name: "Function Issue" },
            PERFORMANCE,
            PERMISSIONS,
            GENERAL_GUIDANCE,
            OTHER,
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_the_default_category() {
        for service in &Catalogue::documented().services {
            assert!(service.has_category(DEFAULT_CATEGORY), "{}", service.code);
        }
    }
}
