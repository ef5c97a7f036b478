using System.Text.Json;

namespace Dashboard.Sandbox.Http;

/// <summary>An account's own keys: listed without their secret, made with it shown once, deleted, reset.</summary>
internal static class ApiKeyEndpoints
{
    public static void MapApiKeys(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v0/auth/apikeys", (Accounts accounts, HttpContext context) => Reply.Ok(new WireRow
        {
            ["apikeys"] = accounts.Keys.Where(key => key.AccountId == Gate.Of(context).AccountId && key.Standing != KeyStanding.Deleted).Select(Row).ToArray(),
        }));
        api.MapPost("/api/v0/auth/apikeys", MakeAsync);
        api.MapDelete("/api/v0/auth/apikeys/{keyId:int}", (int keyId, Accounts accounts, HttpContext context) =>
        {
            if (!accounts.Keys.Any(key => key.Id == keyId && key.AccountId == Gate.Of(context).AccountId && key.Standing != KeyStanding.Deleted))
            {
                return new Reply(StatusCodes.Status404NotFound, new WireRow { ["msg"] = "No such API key." });
            }

            accounts.SetStanding(keyId, KeyStanding.Deleted);
            return Reply.Ok("Successfully Deleted API Key"); // a bare string, as on the real service
        });
        api.MapPut("/api/v0/commands/reset_apikey", (Accounts accounts, HttpContext context) =>
            Reply.Ok(new WireRow { ["success"] = true, ["new_api_key"] = accounts.Reset(Gate.Of(context).AccountId).Secret }));
    }

    /// <summary>The categories of <c>{"api":{"category":{}}}</c>; a null list for no permissions at all, which means a full key.</summary>
    /// <returns>A sentence when a category is unknown or holds constraints: reading those as "everything" would widen the key.</returns>
    public static (IReadOnlyList<string>? Categories, string? Problem) Read(JsonElement? permissions)
    {
        if (permissions is not { } given)
        {
            return (null, null);
        }

        if (given.Field("api") is not { ValueKind: JsonValueKind.Object } api)
        {
            return (null, "permissions needs an object api.");
        }

        var categories = api.EnumerateObject().ToList();
        return categories switch
        {
            _ when categories.Select(category => category.Name).FirstOrDefault(name => !Permissions.Categories.Contains(name)) is { } unknown => (null, $"unknown permission {unknown}."),
            _ when categories.Exists(category => category.Value.ValueKind != JsonValueKind.Object || category.Value.EnumerateObject().Any()) =>
                (null, "this sandbox does not know constraints within a category."),
            _ => ([.. categories.Select(category => category.Name)], null),
        };
    }

    public static WireRow Rights(ApiKey key) => new()
    {
        ["api"] = (key.Permissions ?? Permissions.Categories).ToDictionary(category => category, _ => new WireRow()),
    };

    private static async Task<Reply> MakeAsync(Accounts accounts, HttpContext context)
    {
        if (await Body.ReadAsync(context.Request) is not { } body)
        {
            return Reply.InvalidBody();
        }

        var (categories, problem) = Read(body.Field("permissions"));
        if (problem is not null)
        {
            return Reply.InvalidArguments(problem);
        }

        // A scoped key makes none that may do more than itself.
        if (Gate.Of(context) is Caller.Account { Key.Permissions: { } own } && (categories is null || categories.Except(own).Any()))
        {
            return Reply.Failure(StatusCodes.Status403Forbidden, "auth_error", "This key does not have permission for this action.");
        }

        var key = accounts.AddKey(Gate.Of(context).AccountId, body.Text("name") ?? "", categories);
        return Reply.Ok(new WireRow { ["id"] = key.Id, ["key"] = key.Secret, ["permissions"] = Rights(key) });
    }

    private static WireRow Row(ApiKey key) => new()
    {
        ["id"] = key.Id,
        ["user_id"] = key.AccountId,
        ["name"] = key.Name,
        ["rights"] = Reply.Embedded(Rights(key)),
        ["team_id"] = null,
        ["team_name"] = null,
    };
}
