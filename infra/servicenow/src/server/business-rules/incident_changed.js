// The record is read again when an asynchronous rule runs: quick updates may collapse, so this announces the incident
// as it is, never the one update that queued the rule.
(function executeRule(current) {
    new CasebridgeOutbox().announce(current);
})(current);
