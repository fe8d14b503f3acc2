(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answer(function () {
        var since = calls.optionalTime('entries_since');
        var after = calls.sysId('entries_after');
        if (after !== '' && since === '') {
            calls.invalid('entries_after', 'needs entries_since: the two are one point');
        }
        var incidents = new CasebridgeIncident();
        var read = calls.read(incidents);
        return incidents.show(read.incident, read.takenAt, since, after);
    });
})(request, response);
