using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>Whose key came with a request.</summary>
internal abstract record Caller
{
    internal sealed record Account : Caller;

    /// <summary>The key of one instance: it may show, start, stop and destroy that one.</summary>
    internal sealed record Instance(int Id) : Caller;

    internal sealed record Anonymous : Caller;

    internal sealed record Unknown : Caller;
}

/// <summary>Lets requests to the API pass by their key, with the provider's inconsistent refusals.</summary>
internal sealed partial class Gate(LiveMarket live, RequestDelegate next)
{
    private static readonly Reply LoginNeeded = Reply.Failure(StatusCodes.Status403Forbidden, "auth_error", "This action requires login.");
    private static readonly Reply InvalidKey = Reply.Failure(StatusCodes.Status404NotFound, "auth_error", "Invalid user key");
    private static readonly Reply NotPermitted = Reply.Failure(StatusCodes.Status403Forbidden, "auth_error", "This key does not have permission for this action.");

    public async Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal) || Public().IsMatch(context.Request.Path))
        {
            await next(context);
            return;
        }

        var caller = CallerOf(context.Request);
        Reply? refusal = caller switch
        {
            Caller.Unknown => InvalidKey,
            Caller.Anonymous => Searches().IsMatch(context.Request.Path) ? null : LoginNeeded,
            Caller.Instance instance => OwnInstance().Match(context.Request.Path) is { Success: true } own
                && own.Groups[1].Value == instance.Id.ToString(System.Globalization.CultureInfo.InvariantCulture) ? null : NotPermitted,
            _ => null,
        };
        if (refusal is not null)
        {
            await refusal.ExecuteAsync(context);
            return;
        }

        context.Items[typeof(Caller)] = caller;
        await next(context);
    }

    public static Caller Of(HttpContext context) => (Caller)context.Items[typeof(Caller)]!;

    private Caller CallerOf(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        var key = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : request.Query["api_key"].ToString();
        if (key.Length == 0)
        {
            return new Caller.Anonymous();
        }

        return live.Read<Caller>((market, _) => Same(key, market.State.AccountApiKey)
            ? new Caller.Account()
            : market.FindByKey(key) is { } contract ? new Caller.Instance(contract.Id) : new Caller.Unknown());
    }

    private static bool Same(string one, string other) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));

    [GeneratedRegex("^/api/v0/(gpu_names/unique|gpu_types)/?$")]
    private static partial Regex Public();

    [GeneratedRegex("^/api/v0/(bundles|search/asks)/?$")]
    private static partial Regex Searches();

    [GeneratedRegex("^/api/v0/instances/([0-9]+)/?$")]
    private static partial Regex OwnInstance();
}
