(function run() {
    var outbox = new CasebridgeOutbox();
    outbox.sendDue();
    outbox.deleteExpired();
})();
