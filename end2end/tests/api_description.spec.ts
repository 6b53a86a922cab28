// The descriptions of the API are valid by the schemas that OpenAPI and AsyncAPI publish. That they are true, and that
// their examples are right, is tested in server/tests/http/api_description.rs.
import { schemas } from '@asyncapi/specs';
import type { SchemaObject } from '@hyperjump/json-schema/openapi-3-1';
import { expect, type APIRequestContext } from '@playwright/test';
import { test } from '../fixtures';

const openapi = 'https://spec.openapis.org/oas/3.1/schema-base';
const asyncapi = 'http://asyncapi.com/definitions/3.0.0/asyncapi.json';

test('the description of the HTTP API is valid OpenAPI 3.1', async ({ request }) => {
  await expectValid(request, '/api/openapi.json', openapi);
});

test('the description of the socket is valid AsyncAPI 3.0', async ({ request }) => {
  await expectValid(request, '/api/asyncapi.json', asyncapi);
});

/** The document at this path is as the schema with this id says, and each of its references leads somewhere. */
async function expectValid(request: APIRequestContext, path: string, schema: string) {
  const answer = await request.get(path);
  expect(answer.status()).toBe(200);
  const references: string[] = [];
  const document = JSON.parse(await answer.text(), (key, value) => {
    if (key === '$ref') references.push(value);
    return value;
  });
  const validate = await loadValidator();
  expect(await validate(schema, document, 'BASIC')).toEqual({ valid: true });
  expect(references).not.toEqual([]);
  for (const reference of references) expect(document, reference).toHaveProperty(reference.split('/').slice(1));
}

/** It knows the schemas of OpenAPI; those of AsyncAPI are added. It is imported here since Node 18 cannot require it. */
async function loadValidator() {
  const validator = await import('@hyperjump/json-schema/openapi-3-1');
  await import('@hyperjump/json-schema/draft-07');
  // @ts-expect-error It has no types.
  await import('@hyperjump/json-schema/formats-lite');
  validator.setShouldValidateFormat(true);
  if (!validator.hasSchema(asyncapi)) validator.registerSchema(schemas['3.0.0'] as SchemaObject);
  return validator.validate;
}
