(function adopt() {
    new CasebridgeInstallation().adopt();
    gs.addInfoMessage('casebridge belongs on this instance from now on. Webhooks that wait are sent within a minute.');
})();
