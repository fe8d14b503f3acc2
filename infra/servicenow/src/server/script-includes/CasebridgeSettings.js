/**
 * The settings that an administrator makes so that this instance and AWS find and trust each other: the one row of the
 * settings table. If the row is missing, nothing is set.
 */
var CasebridgeSettings = Class.create();

CasebridgeSettings.TABLE = 'x_casebridge_aws_settings';
/** The address of a host, with an optional port and path, without a user name or a fragment. */
CasebridgeSettings.ADDRESS = /^https:\/\/([a-z0-9.-]+)(:[0-9]{1,5})?(\/[^\s#\\]*)?$/i;
/** The hosts that AWS gives to Lambda Function URLs and to API Gateway. */
CasebridgeSettings.AWS_HOST =
    /^[a-z0-9]+\.(lambda-url\.[a-z0-9-]+\.on\.aws|execute-api\.[a-z0-9-]+\.amazonaws\.com)$/;

/**
 * Returns why webhooks may not go to the address, or '' if they may. Does not check the path, since the owner of the
 * host decides what is behind it. A listed host may have any port, a host of AWS only the port of https.
 */
CasebridgeSettings.addressProblem = function (address, allowedHosts) {
    var parts = CasebridgeSettings.ADDRESS.exec(address);
    if (parts === null) {
        return 'Webhook address: it must be an address that begins with https://, for example https://abc.lambda-url.eu-west-1.on.aws/.';
    }
    var host = parts[1].toLowerCase();
    var listed = allowedHosts.toLowerCase().split(/[\s,]+/);
    if (listed.indexOf(host) >= 0 || (CasebridgeSettings.AWS_HOST.test(host) && parts[2] === undefined)) {
        return '';
    }
    return (
        'Webhook address: ' + host + (parts[2] || '') +
        ' is no host of a Lambda Function URL or of API Gateway. If webhooks are to go there, add it to the allowed hosts.'
    );
};

CasebridgeSettings.prototype = {
    initialize: function () {
        var row = new GlideRecord(CasebridgeSettings.TABLE);
        row.orderBy('sys_created_on');
        row.query();
        this.row = row.next() ? row : null;
    },

    /** Returns the address that webhooks go to, or '' if none is set. */
    webhookUrl: function () {
        return this._text('webhook_url');
    },

    /** Returns the further hosts, beside those of AWS, that webhooks may go to: separated by commas or white space. */
    allowedHosts: function () {
        return this._text('allowed_hosts');
    },

    /** Returns the secret that signs webhooks, in the form in which AWS keeps it, or '' if none is set. */
    webhookSecret: function () {
        if (this.row === null) {
            return '';
        }
        return String(this.row.getElement('webhook_secret').getDecryptedValue() || '').trim();
    },

    /** Returns the sys_id of the integration user, or '' if none is set. */
    integrationUser: function () {
        return this._text('integration_user');
    },

    /** Returns the name of the instance that these settings are for, or '' if no instance was adopted. */
    homeInstance: function () {
        return this._text('home_instance');
    },

    /** Records which instance these settings are for. */
    setHomeInstance: function (name) {
        var row = this.row === null ? this._insert() : this.row;
        row.setValue('home_instance', name);
        row.update();
        this.row = row;
    },

    /** Deletes all settings and leaves an empty row. */
    clear: function () {
        var rows = new GlideRecord(CasebridgeSettings.TABLE);
        rows.deleteMultiple();
        this.row = this._insert();
    },

    _insert: function () {
        var row = new GlideRecord(CasebridgeSettings.TABLE);
        row.initialize();
        row.insert();
        return row;
    },

    _text: function (name) {
        return this.row === null ? '' : String(this.row.getValue(name) || '').trim();
    },

    type: 'CasebridgeSettings'
};
