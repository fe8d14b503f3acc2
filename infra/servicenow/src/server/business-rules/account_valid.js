(function executeRule(current) {
    if (!CasebridgeIncident.ACCOUNT_NUMBER.test(CasebridgeIncident.text(current, 'number'))) {
        gs.addErrorMessage('Number: an AWS account number has 12 digits.');
        current.setAbortAction(true);
        return;
    }
    var account = new CasebridgeAccount(current);
    if (account.group() === '' && !account.isConfigured()) {
        gs.addErrorMessage('Assignment group: choose one, or let casebridge create the group and the AWS user.');
        current.setAbortAction(true);
        return;
    }
    var problem = account.optionsProblem();
    if (problem !== '') {
        gs.addErrorMessage(problem);
        current.setAbortAction(true);
        return;
    }
    // A group must belong to one active account. With two, an incident's case could open in either.
    var other = account.otherOwner(account.group());
    if (other !== '') {
        gs.addErrorMessage('Assignment group: it already belongs to the active account ' + other + '.');
        current.setAbortAction(true);
    }
})(current);
