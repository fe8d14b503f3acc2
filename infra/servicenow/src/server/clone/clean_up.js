(function cleanUp() {
    new CasebridgeInstallation().cleanClone();
})();
