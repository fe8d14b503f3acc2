//! What AWS Support offers: services with their categories, severities, languages.

use serde::Serialize;

/// A service that a case can be about.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Service {
    /// The code used in requests.
    pub code: &'static str,
    /// The name people read.
    pub name: &'static str,
    /// The categories of this service.
    pub categories: &'static [Category],
}

/// A category of a service.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Category {
    /// The code used in requests.
    pub code: &'static str,
    /// The name people read.
    pub name: &'static str,
}

/// A severity level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SeverityLevel {
    /// The code used in requests.
    pub code: &'static str,
    /// The name people read.
    pub name: &'static str,
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

/// The languages in which AWS Support answers.
pub const LANGUAGES: [&str; 8] = ["en", "zh", "ja", "es", "pt", "fr", "ko", "tr"];
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

const OTHER: Category = Category { code: DEFAULT_CATEGORY, name: "Other" };
const GENERAL_GUIDANCE: Category = Category { code: "general-guidance", name: "General Guidance" };
const PERFORMANCE: Category = Category { code: "performance", name: "Performance" };
const CONNECTIVITY: Category = Category { code: "connectivity", name: "Connectivity" };
const PERMISSIONS: Category = Category { code: "permissions", name: "Permissions" };

/// Every service that a case can be about.
pub const SERVICES: [Service; 8] = [
    Service {
        code: DEFAULT_SERVICE,
        name: "General Info and Getting Started",
        categories: &[
            Category { code: "charges", name: "How Will I Be Charged?" },
            Category { code: "gdpr-queries", name: "Data Privacy Query" },
            Category { code: "using-aws", name: "Using AWS & Services" },
            Category { code: "free-tier", name: "Free Tier" },
            Category { code: "security-and-compliance", name: "Security & Compliance" },
            Category { code: "account-structure", name: "Account Structure" },
            OTHER,
        ],
    },
    Service {
        code: "account-management",
        name: "Account",
        categories: &[Category { code: "billing", name: "Billing" }, GENERAL_GUIDANCE, OTHER],
    },
    Service {
        code: "amazon-elastic-compute-cloud-linux",
        name: "Elastic Compute Cloud (EC2 - Linux)",
        categories: &[
            Category { code: "instance-issue", name: "Instance Issue" },
            CONNECTIVITY,
            PERFORMANCE,
            GENERAL_GUIDANCE,
            OTHER,
        ],
    },
    Service {
        code: "amazon-relational-database-service-postgresql",
        name: "Relational Database Service (PostgreSQL)",
        categories: &[
            Category { code: "database-issue", name: "Database Issue" },
            CONNECTIVITY,
            PERFORMANCE,
            GENERAL_GUIDANCE,
            OTHER,
        ],
    },
    Service {
        code: "amazon-simple-storage-service",
        name: "Simple Storage Service (S3)",
        categories: &[PERMISSIONS, PERFORMANCE, GENERAL_GUIDANCE, OTHER],
    },
    Service {
        code: "amazon-virtual-private-cloud",
        name: "Virtual Private Cloud (VPC)",
        categories: &[CONNECTIVITY, GENERAL_GUIDANCE, OTHER],
    },
    Service {
        code: "aws-identity-and-access-management",
        name: "Identity and Access Management (IAM)",
        categories: &[PERMISSIONS, GENERAL_GUIDANCE, OTHER],
    },
    Service {
        code: "aws-lambda",
        name: "Lambda",
        categories: &[
            Category { code: "function-issue", name: "Function Issue" },
            PERFORMANCE,
            PERMISSIONS,
            GENERAL_GUIDANCE,
            OTHER,
        ],
    },
];

/// Returns the service with this code. Returns `None` if there is none.
pub fn service(code: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_the_default_category() {
        for service in &SERVICES {
            assert!(service.categories.iter().any(|category| category.code == DEFAULT_CATEGORY), "{}", service.code);
        }
    }
}
