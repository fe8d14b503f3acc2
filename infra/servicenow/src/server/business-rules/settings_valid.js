(function executeRule(current) {
    if (String(current.operation()) === 'insert') {
        // The scripts read one row only. People could take a second row for the one in force.
        var other = new GlideRecord(CasebridgeSettings.TABLE);
        other.query();
        if (other.next()) {
            gs.addErrorMessage('There is one record of settings: change that one.');
            current.setAbortAction(true);
            return;
        }
    }
    var address = String(current.getValue('webhook_url') || '').trim();
    var problem =
        address === ''
            ? ''
            : CasebridgeSettings.addressProblem(address, String(current.getValue('allowed_hosts') || ''));
    if (problem !== '') {
        gs.addErrorMessage(problem);
        current.setAbortAction(true);
    }
})(current);
