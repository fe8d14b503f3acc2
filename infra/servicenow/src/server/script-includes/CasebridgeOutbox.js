/**
 * Keeps each webhook until AWS has accepted it. The rule that queues a webhook makes one attempt at once. After that
 * only the outbox job sends it, with a growing delay. A webhook names the incident and carries none of its content. All
 * attempts use the webhook-id that the entry got when it was queued.
 */
var CasebridgeOutbox = Class.create();

CasebridgeOutbox.TABLE = 'x_casebridge_aws_outbox';
/** How long the job leaves a new entry to the rule. If the rule died, the job then takes over. */
CasebridgeOutbox.FIRST_ATTEMPT_SECONDS = 60;
/**
 * The delay after the first failed attempt, which doubles with each further one. A fault of a moment is over by then,
 * and the job, which runs every minute, attempts the entry in its next run.
 */
CasebridgeOutbox.DELAY_SECONDS = 30;
/**
 * The longest delay. After an outage of any length each entry is attempted within the hour, and a long one costs few
 * attempts.
 */
CasebridgeOutbox.DELAY_MAXIMUM_SECONDS = 3600;
/**
 * The most entries of one run. An attempt takes some tenths of a second, so these fit into a run. The next run takes
 * the others.
 */
CasebridgeOutbox.ENTRIES_PER_RUN = 100;
/**
 * The longest run. With one more attempt of five seconds it ends before the next one is due, a minute after it began.
 */
CasebridgeOutbox.RUN_MILLISECONDS = 45000;
/**
 * The most deletions of one run: more entries than a run sends, so that sent ones do not pile up, and some seconds of
 * work.
 */
CasebridgeOutbox.DELETIONS_PER_RUN = 500;
/**
 * How long sent entries are kept if the property is not set: a week, in which people look into a webhook that they
 * miss.
 */
CasebridgeOutbox.RETENTION_DAYS = 7;
CasebridgeOutbox.SECONDS_PER_DAY = 86400;

CasebridgeOutbox.prototype = {
    initialize: function () {
        this.incidents = new CasebridgeIncident();
        this.webhook = new CasebridgeWebhook();
        this.silence = new CasebridgeInstallation().silence();
    },

    /** Queues a webhook and makes one attempt, if the incident has a case, should have one, or AWS knows of it. */
    announce: function (incident) {
        if (!this.incidents.isServed(incident)) {
            return;
        }
        // While the app is silent, one waiting entry for each incident is enough.
        if (this.silence !== '' && this._isWaiting(incident)) {
            return;
        }
        var entry = new GlideRecord(CasebridgeOutbox.TABLE);
        entry.initialize();
        entry.setValue('webhook_id', gs.generateGUID());
        entry.setValue('incident', incident.getUniqueValue());
        entry.setValue('state', 'pending');
        entry.setValue('attempts', 0);
        entry.setValue('next_attempt_at', this._after(CasebridgeOutbox.FIRST_ATTEMPT_SECONDS));
        if (!entry.insert()) {
            gs.error('casebridge: the outbox refused an entry: ' + entry.getLastErrorMessage());
            return;
        }
        this._attempt(entry);
    },

    /** Attempts the entries that are due, the longest due first. */
    sendDue: function () {
        var started = new GlideDateTime().getNumericValue();
        var entry = new GlideRecord(CasebridgeOutbox.TABLE);
        entry.addQuery('state', 'IN', 'pending,error');
        entry.addQuery('next_attempt_at', '<=', new GlideDateTime().getValue());
        if (this.silence !== '') {
            // Skip the entries that have this error already. They are attempted when the app may act.
            entry.addQuery('last_error', '!=', this.silence).addOrCondition('last_error', '=', '');
        }
        entry.orderBy('next_attempt_at');
        entry.setLimit(CasebridgeOutbox.ENTRIES_PER_RUN);
        entry.query();
        while (
            new GlideDateTime().getNumericValue() - started < CasebridgeOutbox.RUN_MILLISECONDS &&
            entry.next()
        ) {
            this._attempt(entry);
        }
    },

    /** Deletes sent entries after the retention time. */
    deleteExpired: function () {
        var days = parseInt(gs.getProperty('x_casebridge_aws.outbox_retention_days', ''), 10);
        if (!(days >= 0)) {
            days = CasebridgeOutbox.RETENTION_DAYS;
        }
        var entry = new GlideRecord(CasebridgeOutbox.TABLE);
        entry.addQuery('state', 'sent');
        entry.addQuery('sent_at', '<', this._after(-days * CasebridgeOutbox.SECONDS_PER_DAY));
        entry.orderBy('sent_at');
        entry.setLimit(CasebridgeOutbox.DELETIONS_PER_RUN);
        entry.query();
        while (entry.next()) {
            entry.deleteRecord();
        }
    },

    // Whether an entry of the incident waits to be sent.
    _isWaiting: function (incident) {
        var entry = new GlideRecord(CasebridgeOutbox.TABLE);
        entry.addQuery('incident', incident.getUniqueValue());
        entry.addQuery('state', 'IN', 'pending,error');
        entry.setLimit(1);
        entry.query();
        return entry.next();
    },

    _attempt: function (entry) {
        if (this.silence !== '') {
            entry.setValue('state', 'error');
            entry.setValue('last_error', this.silence);
            entry.update();
            return;
        }
        var incident = this.incidents.find(String(entry.getValue('incident')));
        if (incident === null) {
            this._close(entry, 'The incident no longer exists: there is nothing to send.');
            return;
        }
        var attempts = parseInt(entry.getValue('attempts') || '0', 10) + 1;
        entry.setValue('attempts', attempts);
        var problem = this.webhook.send(String(entry.getValue('webhook_id')), incident);
        if (problem === '') {
            this._close(entry, '');
            return;
        }
        entry.setValue('state', 'error');
        entry.setValue('last_error', problem);
        entry.setValue('next_attempt_at', this._after(this._delay(attempts)));
        entry.update();
        gs.warn('casebridge: ' + incident.getValue('number') + ': ' + problem);
    },

    _close: function (entry, remark) {
        entry.setValue('state', 'sent');
        entry.setValue('last_error', remark);
        entry.setValue('sent_at', new GlideDateTime().getValue());
        entry.update();
    },

    _delay: function (attempts) {
        var delay = CasebridgeOutbox.DELAY_SECONDS * Math.pow(2, attempts - 1);
        return Math.min(delay, CasebridgeOutbox.DELAY_MAXIMUM_SECONDS);
    },

    _after: function (seconds) {
        var time = new GlideDateTime();
        time.addSeconds(seconds);
        return String(time.getValue());
    },

    type: 'CasebridgeOutbox'
};
