using System.Globalization;
using System.Text.RegularExpressions;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>Whose key came with a request.</summary>
/// <param name="AccountId">Whose money and machines it is about.</param>
internal abstract record Caller(int AccountId)
{
    internal sealed record Account(int AccountId, ApiKey Key) : Caller(AccountId);

    /// <summary>The key of one instance: it may show, start, stop and destroy that one.</summary>
    internal sealed record Instance(int Id, int AccountId) : Caller(AccountId);

    internal sealed record Anonymous() : Caller(0);

    internal sealed record Unknown() : Caller(0);
}

/// <summary>Lets requests to the API pass by their key, with the provider's inconsistent refusals.</summary>
internal sealed partial class Gate(LiveMarket live, Accounts accounts, Switches switches, RequestDelegate next)
{
    private static readonly Reply LoginNeeded = Refused(StatusCodes.Status403Forbidden, "This action requires login.");
    private static readonly Reply NotPermitted = Refused(StatusCodes.Status403Forbidden, "This key does not have permission for this action.");

    public async Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal) || Public().IsMatch(context.Request.Path))
        {
            await next(context);
            return;
        }

        var caller = CallerOf(context.Request);
        if ((KeyRefusal(caller, context.Request) ?? ForeignInstance(caller, context.Request)) is { } refusal)
        {
            await refusal.ExecuteAsync(context);
            return;
        }

        context.Items[typeof(Caller)] = caller;
        await next(context);
    }

    public static Caller Of(HttpContext context) => (Caller)context.Items[typeof(Caller)]!;

    /// <summary>The key a request carries, in its header or, from older clients, its query; null without one.</summary>
    public static string? KeyIn(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        var key = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : request.Query["api_key"].ToString();
        return key.Length == 0 ? null : key;
    }

    private static Reply Refused(int status, string message) => Reply.Failure(status, "auth_error", message);

    private Caller CallerOf(HttpRequest request) => KeyIn(request) switch
    {
        null => new Caller.Anonymous(),
        { } secret when accounts.FindKey(secret) is { } key => new Caller.Account(key.AccountId, key),
        { } secret => live.Read<Caller>((market, _) => market.FindByKey(secret) is { } contract ? new Caller.Instance(contract.Id, contract.AccountId) : new Caller.Unknown()),
    };

    private Reply? KeyRefusal(Caller caller, HttpRequest request) => caller switch
    {
        Caller.Unknown => Refused(switches.UnknownKeyStatus, "Invalid user key"),
        Caller.Anonymous => Searches().IsMatch(request.Path) ? null : LoginNeeded,
        Caller.Instance instance => OwnInstance().Match(request.Path) is { Success: true } own && own.Groups[1].Value == instance.Id.ToString(CultureInfo.InvariantCulture) ? null : NotPermitted,
        Caller.Account { Key.Standing: KeyStanding.Deleted } => Refused(StatusCodes.Status401Unauthorized, "Invalid user key"),
        Caller.Account { Key.Standing: KeyStanding.SessionExpired } => Refused(StatusCodes.Status404NotFound, "Session expired. Please log in again."),
        Caller.Account { Key.Standing: KeyStanding.NeedsTwoFactor } => Refused(StatusCodes.Status401Unauthorized, "This action requires Two Factor Authentication."),
        Caller.Account { Key.Permissions: { } scope } => Permissions.CategoryOf(request.Method, request.Path) is { } category && scope.Contains(category) ? null : NotPermitted,
        _ => null,
    };

    // Another account's instance is to its caller one that never was; each route says so in its own way.
    private Reply? ForeignInstance(Caller caller, HttpRequest request)
    {
        if (AnyInstance().Match(request.Path) is not { Success: true } match || !int.TryParse(match.Groups[2].Value, CultureInfo.InvariantCulture, out var id)
            || !live.Read((market, _) => market.Find(id) is { } contract && contract.AccountId != caller.AccountId))
        {
            return null;
        }

        return match.Groups[1].Value switch
        {
            "request_logs/" => Reply.Failure(StatusCodes.Status404NotFound, "invalid_id", string.Create(CultureInfo.InvariantCulture, $"Instance {id} not found.")),
            "" when HttpMethods.IsGet(request.Method) && OwnInstance().IsMatch(request.Path) => Reply.Ok(new WireRow { ["instances"] = null }),
            _ => Reply.NoSuchInstance(id),
        };
    }

    [GeneratedRegex("^/api/v0/(gpu_names/unique|gpu_types)/?$")]
    private static partial Regex Public();

    [GeneratedRegex("^/api/v0/(bundles|search/asks)/?$")]
    private static partial Regex Searches();

    [GeneratedRegex("^/api/v0/instances/([0-9]+)/?$")]
    private static partial Regex OwnInstance();

    [GeneratedRegex("^/api/v0/instances/([a-z_-]+/)?([0-9]+)(/|$)")]
    private static partial Regex AnyInstance();
}
