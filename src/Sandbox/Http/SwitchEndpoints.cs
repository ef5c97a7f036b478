using System.Text.Json;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>Switches of the HTTP side: limits, refusals of keys, accounts and their money.</summary>
internal static class SwitchEndpoints
{
    private static readonly string[] LimitFields = ["mode", "rows_a_day"];
    private static readonly string[] KeyFields = ["name", "permissions", "standing"];

    public static void MapSwitches(this IEndpointRouteBuilder control)
    {
        control.MapGet("/limits", (Switches switches) => Reply.Ok(LimitRow(switches)));
        control.MapPut("/limits", async (Switches switches, Limits limits, HttpRequest request) => await ControlBody.WithAsync(request, LimitFields, body => SetLimits(switches, limits, body)));
        control.MapPut("/auth", async (Switches switches, HttpRequest request) => await ControlBody.WithAsync(request, ["unknown_key"], body =>
        {
            if (body.Number("unknown_key") is not { } status || status is not (StatusCodes.Status401Unauthorized or StatusCodes.Status404NotFound))
            {
                return ControlBody.Wrong("unknown_key is 401 or 404.");
            }

            switches.Change(positions => positions.UnknownKeyStatus = (int)status);
            return Reply.Success();
        }));
        control.MapPost("/accounts", async (Accounts accounts, LiveMarket live, HttpRequest request) => await ControlBody.WithAsync(request, ["name", "credit"], body =>
        {
            var (account, key) = accounts.Open(body.Text("name") ?? "another");
            live.Change((market, now) => market.AddCredit(account.Id, body.Number("credit") ?? 0, now));
            return Reply.Ok(new WireRow { ["id"] = account.Id, ["api_key"] = key.Secret });
        }));
        control.MapPut("/accounts/{accountId:int}/credit", async (int accountId, Accounts accounts, LiveMarket live, HttpRequest request) =>
            await ControlBody.WithAsync(request, ["credit"], body =>
            {
                if (accounts.Find(accountId) is null || body.Number("credit") is not { } credit)
                {
                    return ControlBody.Wrong("credit needs a number and an account that exists.");
                }

                live.Change((market, now) => market.AddCredit(accountId, credit - market.Credit(now, accountId), now));
                return Reply.Success();
            }));
        control.MapPost("/accounts/{accountId:int}/keys", async (int accountId, Accounts accounts, HttpRequest request) =>
            await ControlBody.WithAsync(request, KeyFields, body => MakeKey(accounts, accountId, body)));
        control.MapPut("/keys/{keyId:int}", async (int keyId, Accounts accounts, HttpRequest request) => await ControlBody.WithAsync(request, ["standing"], body =>
            StandingOf(body) is { } standing && accounts.SetStanding(keyId, standing) is not null ? Reply.Success() : ControlBody.Wrong("No such key or standing.")));
    }

    private static Reply SetLimits(Switches switches, Limits limits, JsonElement body)
    {
        if (body.Field("mode") is not null && ModeOf(body.Text("mode")) is null)
        {
            return ControlBody.Wrong("mode is off, real or harsh.");
        }

        if (body.Field("rows_a_day") is not null && body.Number("rows_a_day") is not >= 0)
        {
            return ControlBody.Wrong("rows_a_day is a number or null.");
        }

        switches.Change(positions =>
        {
            positions.Limits = ModeOf(body.Text("mode")) ?? positions.Limits;
            positions.RowsADay = (int?)body.Number("rows_a_day");
            return true;
        });
        limits.Forget();
        return Reply.Ok(LimitRow(switches));
    }

    private static WireRow LimitRow(Switches switches) => new() { ["mode"] = NameOf(switches.Limits), ["rows_a_day"] = switches.RowsADay };

    private static Reply MakeKey(Accounts accounts, int accountId, JsonElement body)
    {
        if (accounts.Find(accountId) is null)
        {
            return ControlBody.Wrong("No such account.");
        }

        if (body.Field("permissions") is { } given && given.ValueKind != JsonValueKind.Array)
        {
            return ControlBody.Wrong("permissions is a list of categories, or null for a full key.");
        }

        var permissions = body.Field("permissions")?.EnumerateArray().Select(category => category.ToString()).ToList();
        if (permissions?.Find(category => !Permissions.Categories.Contains(category)) is { } unknown)
        {
            return ControlBody.Wrong($"{unknown} is none of {string.Join(", ", Permissions.Categories)}.");
        }

        if (body.Field("standing") is not null && StandingOf(body) is null)
        {
            return ControlBody.Wrong("standing is valid, deleted, session_expired or two_factor.");
        }

        var key = accounts.AddKey(accountId, body.Text("name") ?? "", permissions, StandingOf(body) ?? KeyStanding.Valid);
        return Reply.Ok(new WireRow { ["id"] = key.Id, ["api_key"] = key.Secret });
    }

    private static KeyStanding? StandingOf(JsonElement body) => body.Text("standing") switch
    {
        "valid" => KeyStanding.Valid,
        "deleted" => KeyStanding.Deleted,
        "session_expired" => KeyStanding.SessionExpired,
        "two_factor" => KeyStanding.NeedsTwoFactor,
        _ => null,
    };

    private static LimitMode? ModeOf(string? name) => name switch
    {
        "off" => LimitMode.Off,
        "real" => LimitMode.Real,
        "harsh" => LimitMode.Harsh,
        _ => null,
    };

    private static string NameOf(LimitMode mode) => mode switch
    {
        LimitMode.Off => "off",
        LimitMode.Real => "real",
        LimitMode.Harsh => "harsh",
    };
}
