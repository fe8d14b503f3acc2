(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answer(function () {
        var kind = calls.kind();
        var since = calls.optionalTime('entries_since');
        var after = calls.sysId('entries_after');
        if (after !== '' && since === '') {
            calls.invalid('entries_after', 'needs entries_since: the two are one point');
        }
        var incidents = new CasebridgeIncident();
        var read = calls.read(incidents);
        var shown = incidents.show(read.incident, kind, read.takenAt, since, after);
        shown.deliveries = after === '' ? incidents.deliveries(shown.sys_id, since) : [];
        return shown;
    });
})(request, response);
