// A file updates no incident, so this announces the incident of the file.
(function executeRule(current) {
    var incident = CasebridgeFile.incidentOf(current, new CasebridgeIncident());
    // Files may be attached before the incident is saved for the first time: that save announces it.
    if (incident !== null) {
        new CasebridgeOutbox().announce(incident);
    }
})(current);
