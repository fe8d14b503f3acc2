// The platform reads the record again when an asynchronous rule runs, and may combine quick updates. So this announces
// the incident as it is now, not the update that queued the rule.
(function executeRule(current) {
    new CasebridgeOutbox().announce(current);
})(current);
