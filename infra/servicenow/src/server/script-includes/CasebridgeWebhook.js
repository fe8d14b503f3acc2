/**
 * Makes one attempt to tell AWS that an incident may have changed, signed as Standard Webhooks specifies. The webhook
 * names the incident and carries none of its content: AWS reads that. The outbox makes the further attempts.
 */
var CasebridgeWebhook = Class.create();

/** The longest attempt: the instance has four connections for each host, so none may be held for long. */
CasebridgeWebhook.TIMEOUT_MILLISECONDS = 5000;
CasebridgeWebhook.SECRET_PREFIX = 'whsec_';
/** The most characters of an error: a few sentences. The column holds 1,000. */
CasebridgeWebhook.REFUSAL_LIMIT = 300;
/** The codes with which casebridge's own function refuses a webhook. */
CasebridgeWebhook.ERROR_CODES = ['method_not_allowed', 'too_large', 'malformed', 'unauthorized', 'unavailable'];

CasebridgeWebhook.prototype = {
    initialize: function () {
        this.settings = new CasebridgeSettings();
    },

    /** Announces the incident. Returns '' if the webhook was accepted, or else what went wrong. */
    send: function (webhookId, incident) {
        var url = this.settings.webhookUrl();
        // The rule on the settings checks this earlier, but it does not run for every import or script.
        var problem = CasebridgeSettings.addressProblem(url, this.settings.allowedHosts());
        if (problem !== '') {
            return this._short(problem);
        }
        var key = this._key();
        if (key === '') {
            return 'Set the webhook secret in the settings of casebridge: whsec_ and the base64 text of the key.';
        }
        try {
            return this._post(url, key, webhookId, incident);
        } catch (failure) {
            return this._short('The webhook was not reached: ' + failure);
        }
    },

    _post: function (url, key, webhookId, incident) {
        var now = new GlideDateTime();
        var timestamp = String(Math.floor(now.getNumericValue() / 1000));
        var body = JSON.stringify({
            id: webhookId,
            type: 'incident.changed',
            timestamp: String(now.getValue()).replace(' ', 'T') + 'Z',
            data: {
                sys_id: String(incident.getUniqueValue()),
                // For logs only.
                sys_mod_count: parseInt(incident.getValue('sys_mod_count') || '0', 10)
            }
        });
        var message = new sn_ws.RESTMessageV2();
        message.setHttpMethod('POST');
        message.setEndpoint(url);
        message.setHttpTimeout(CasebridgeWebhook.TIMEOUT_MILLISECONDS);
        // Otherwise the platform would replace text that looks like a variable, and the signature would be wrong.
        message.disableForcedVariableSubstitution();
        message.setRequestHeader('content-type', 'application/json; charset=utf-8');
        message.setRequestHeader('webhook-id', webhookId);
        message.setRequestHeader('webhook-timestamp', timestamp);
        message.setRequestHeader(
            'webhook-signature',
            'v1,' + new CertificateEncryption().generateMac(key, 'HmacSHA256', webhookId + '.' + timestamp + '.' + body)
        );
        message.setRequestBody(body);
        return this._outcome(message.execute());
    },

    _outcome: function (response) {
        var status = parseInt(response.getStatusCode(), 10);
        if (status >= 200 && status < 300) {
            return '';
        }
        if (status === 401) {
            return 'The webhook refused the signature (401): the webhook secret in the settings must equal the secret in AWS, and the clocks must agree.';
        }
        if (!(status > 0)) {
            return this._short('The webhook was not reached: ' + response.getErrorMessage());
        }
        return this._short('The webhook answered ' + status + this._refusal(String(response.getBody() || '')));
    },

    // Returns the code of casebridge's refusal. Repeats no other text of the answer: people read this, and at a wrong
    // address a stranger could write it.
    _refusal: function (body) {
        var error = null;
        try {
            error = JSON.parse(body).error;
        } catch (problem) {
            error = null;
        }
        var isOurs = error && CasebridgeWebhook.ERROR_CODES.indexOf(error.code) >= 0;
        return isOurs ? ': ' + error.code + '.' : ', and not as casebridge does. Look at the address of the webhook.';
    },

    // Returns the key in base64, as the signing API expects it, or '' if the secret has another form.
    _key: function () {
        var secret = this.settings.webhookSecret();
        if (secret.indexOf(CasebridgeWebhook.SECRET_PREFIX) !== 0) {
            return '';
        }
        return secret.substring(CasebridgeWebhook.SECRET_PREFIX.length);
    },

    _short: function (text) {
        return text.substring(0, CasebridgeWebhook.REFUSAL_LIMIT);
    },

    type: 'CasebridgeWebhook'
};
