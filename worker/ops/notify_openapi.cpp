#include "ops/notify_openapi.hpp"

namespace millrace::ops {

const std::string_view notify_openapi = R"json({
  "openapi": "3.0.3",
  "info": {
    "title": "millrace notifications",
    "version": "1",
    "description": "What users want to hear of, and the end of subscriptions.",
    "contact": {"name": "millrace", "url": "https://example.org/millrace"}
  },
  "servers": [{"url": "/"}],
  "tags": [{"name": "settings", "description": "For applications."}, {"name": "mail", "description": "For readers."}],
  "security": [{"bearer": []}],
  "paths": {
    "/api/notify/types": {
      "get": {
        "operationId": "types", "tags": ["settings"], "description": "All event types, by code.",
        "responses": {
          "200": {"description": "The types.", "content": {"application/json": {"schema": {
            "type": "object", "required": ["types"], "additionalProperties": false,
            "properties": {"types": {"type": "array", "items": {"$ref": "#/components/schemas/Type"}}}}}}},
          "401": {"$ref": "#/components/responses/Refused"},
          "503": {"$ref": "#/components/responses/Refused"}
        }
      }
    },
    "/api/notify/users/{username}/config": {
      "parameters": [{"name": "username", "in": "path", "required": true,
                      "schema": {"type": "string", "minLength": 1, "maxLength": 200}}],
      "get": {
        "operationId": "config", "tags": ["settings"],
        "description": "A user's settings; of a user without any, those that hold then.",
        "responses": {
          "200": {"$ref": "#/components/responses/Config"},
          "400": {"$ref": "#/components/responses/Refused"},
          "401": {"$ref": "#/components/responses/Refused"},
          "503": {"$ref": "#/components/responses/Refused"}
        }
      },
      "put": {
        "operationId": "configure", "tags": ["settings"],
        "description": "Changes what is named, all of it or nothing. Answers what holds then.",
        "requestBody": {"required": true, "content": {"application/json": {
          "schema": {"$ref": "#/components/schemas/Changes"}}}},
        "responses": {
          "200": {"$ref": "#/components/responses/Config"},
          "400": {"$ref": "#/components/responses/Refused"},
          "401": {"$ref": "#/components/responses/Refused"},
          "415": {"$ref": "#/components/responses/Refused"},
          "503": {"$ref": "#/components/responses/Refused"}
        }
      }
    },
    "/unsubscribe/{token}": {
      "parameters": [{"name": "token", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {
        "operationId": "askToUnsubscribe", "tags": ["mail"], "security": [],
        "description": "A page that asks whether to end the subscription. Changes nothing.",
        "responses": {
          "200": {"$ref": "#/components/responses/Page"},
          "404": {"$ref": "#/components/responses/Page"}
        }
      },
      "post": {
        "operationId": "unsubscribe", "tags": ["mail"], "security": [],
        "description": "Ends the subscription, once or again. RFC 8058: mail programs post List-Unsubscribe=One-Click.",
        "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}},
        "responses": {
          "200": {"$ref": "#/components/responses/Page"},
          "400": {"$ref": "#/components/responses/Page"},
          "404": {"$ref": "#/components/responses/Page"},
          "503": {"$ref": "#/components/responses/Page"}
        }
      }
    }
  },
  "components": {
    "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    "responses": {
      "Config": {"description": "The settings.",
                 "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Config"}}}},
      "Refused": {"description": "Why not, and what to do.",
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
      "Page": {"description": "For a person.", "content": {"text/html": {"schema": {"type": "string"}}}}
    },
    "schemas": {
      "Type": {
        "type": "object", "additionalProperties": false,
        "required": ["code", "category", "description", "system_required", "default_enabled"],
        "properties": {
          "code": {"type": "string", "example": "cl.comment.created"},
          "category": {"type": "string"},
          "description": {"type": "string"},
          "system_required": {"type": "boolean", "description": "It cannot be switched off."},
          "default_enabled": {"type": "boolean", "description": "What holds without a preference."}
        }
      },
      "Changes": {
        "type": "object", "additionalProperties": false,
        "properties": {
          "email": {"type": "string", "nullable": true, "maxLength": 254},
          "enabled": {"type": "boolean"},
          "delivery_mode": {"type": "string", "enum": ["realtime", "digest"]},
          "digest_hour": {"type": "integer", "minimum": 0, "maximum": 23},
          "time_zone": {"type": "string", "example": "Europe/Berlin"},
          "locale": {"type": "string", "example": "de-AT"},
          "preferences": {"type": "object", "description": "By event type; null: the type's default.",
                          "additionalProperties": {"type": "boolean", "nullable": true}}
        }
      },
      "Config": {
        "type": "object", "additionalProperties": false,
        "required": ["email", "enabled", "delivery_mode", "digest_hour", "time_zone", "locale", "preferences"],
        "properties": {
          "email": {"type": "string", "nullable": true},
          "enabled": {"type": "boolean"},
          "delivery_mode": {"type": "string", "enum": ["realtime", "digest"]},
          "digest_hour": {"type": "integer", "minimum": 0, "maximum": 23},
          "time_zone": {"type": "string"},
          "locale": {"type": "string"},
          "preferences": {"type": "object", "additionalProperties": {"type": "boolean"}}
        }
      },
      "Error": {
        "type": "object", "additionalProperties": false, "required": ["error"],
        "properties": {"error": {
          "type": "object", "additionalProperties": false, "required": ["code", "message", "hint"],
          "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "hint": {"type": "string"}}}}
      }
    }
  }
}
)json";

}  // namespace millrace::ops
