// The globals of the platform's scripts, as the published types know them, and what those types do not say.
import * as glide from '@servicenow/glide'
import { RESTMessageV2 as Message } from '@servicenow/glide/sn_ws'
import { ServiceError as PlatformError } from '@servicenow/glide/sn_ws_err'
import { RESTAPIRequest, RESTAPIResponse } from '@servicenow/glide/sn_ws_int'

declare global {
    const gs: typeof glide.gs
    const GlideDateTime: typeof glide.GlideDateTime
    const GlideRecord: typeof glide.GlideRecord
    const GlideSysAttachment: new () => glide.GlideSysAttachment
    const Class: { create(): any }
    // The documentation instantiates it; the published types say that its methods are static.
    const CertificateEncryption: new () => { generateMac(key: string, algorithm: string, data: string): string }
    const sn_ws: { RESTMessageV2: typeof Message }
    const sn_ws_err: { ServiceError: typeof PlatformError }
    const current: InstanceType<typeof glide.GlideRecord>
    const request: RESTAPIRequest
    const response: RESTAPIResponse
    const assertEqual: (assertion: { name: string; shouldbe: unknown; value: unknown }) => void
}
