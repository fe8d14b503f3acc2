(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answer(function () {
        var snapshot = new CasebridgeIncident().page(
            calls.incident(),
            calls.sysId('entries_before')
        );
        if (snapshot === null) {
            calls.fail(404, 'No such incident', 'The incident does not exist, or the comment is not one of it.');
        }
        return snapshot;
    });
})(request, response);
