//! What AWS Support offers to each account.

use aws_sdk_support::types;
use casebridge_core::{
    catalogue::{Named, OfferedService},
    failure::Failure,
    identifiers::AccountId,
};
use casebridge_ports::SupportCatalogue;

use crate::{account::AccountSource, failure::CallKind, support::SupportClient};

/// The language of the names. The codes are the same in each language. Source: AWS Support API, DescribeServices.
const LANGUAGE: &str = "en";

impl<S: AccountSource> SupportCatalogue for SupportClient<S> {
    async fn describe_services(&self, account: &AccountId) -> Result<Vec<OfferedService>, Failure> {
        let answer =
            self.call(account, CallKind::Read, |client| client.describe_services().language(LANGUAGE).send()).await?;
        Ok(answer.services.unwrap_or_default().into_iter().map(service).collect())
    }

    async fn describe_severity_levels(&self, account: &AccountId) -> Result<Vec<Named>, Failure> {
        let answer = self
            .call(account, CallKind::Read, |client| client.describe_severity_levels().language(LANGUAGE).send())
            .await?;
        let levels = answer.severity_levels.unwrap_or_default().into_iter();
        Ok(levels.map(|level| named(level.code, level.name)).collect())
    }
}

fn service(service: types::Service) -> OfferedService {
    let categories = service.categories.unwrap_or_default().into_iter();
    OfferedService {
        service: named(service.code, service.name),
        categories: categories.map(|category| named(category.code, category.name)).collect(),
    }
}

fn named(code: Option<String>, name: Option<String>) -> Named {
    Named { code: code.unwrap_or_default(), name: name.unwrap_or_default() }
}
