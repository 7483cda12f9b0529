import type * as timestamp from "../proto/generated/google/protobuf/timestamp";
import type * as requests from "../proto/generated/temporal/api/cloud/cloudservice/v1/request_response";
import type * as identity from "../proto/generated/temporal/api/cloud/identity/v1/message";
import type * as namespace from "../proto/generated/temporal/api/cloud/namespace/v1/message";
import type * as region from "../proto/generated/temporal/api/cloud/region/v1/message";
import type * as resource from "../proto/generated/temporal/api/cloud/resource/v1/message";

/**
 * The messages of the Cloud Ops API, loaded when one is first used. Every program imports the resources, but only the
 * plugin and the lookups speak the wire: a program should not have to wait for what it does not need.
 */
export const messages = {
    get timestamp() {
        return require("../proto/generated/google/protobuf/timestamp") as typeof timestamp;
    },
    get requests() {
        return require("../proto/generated/temporal/api/cloud/cloudservice/v1/request_response") as typeof requests;
    },
    get identity() {
        return require("../proto/generated/temporal/api/cloud/identity/v1/message") as typeof identity;
    },
    get namespace() {
        return require("../proto/generated/temporal/api/cloud/namespace/v1/message") as typeof namespace;
    },
    get region() {
        return require("../proto/generated/temporal/api/cloud/region/v1/message") as typeof region;
    },
    get resource() {
        return require("../proto/generated/temporal/api/cloud/resource/v1/message") as typeof resource;
    },
};
