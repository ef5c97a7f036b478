using System.Text.Json;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>The account: who it is, its SSH keys, its charges.</summary>
internal static class AccountEndpoints
{
    public static void MapAccount(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v0/users/current", (LiveMarket live, Accounts accounts, HttpContext context) =>
        {
            var caller = (Caller.Account)Gate.Of(context); // nobody else gets here
            return live.Read((market, now) => Reply.Ok(User(market, accounts.Find(caller.AccountId)!, caller.Key, now)));
        });
        api.MapGet("/api/v0/ssh", (LiveMarket live, HttpContext context) => live.Read((market, _) => KeysOf(market, Gate.Of(context).AccountId) is { Length: > 0 } keys
            ? Reply.Ok(keys.Select(Row).ToArray())
            : Reply.Failure(StatusCodes.Status404NotFound, "no_ssh_key", "No SSH keys found.")));
        api.MapPost("/api/v0/ssh", async (LiveMarket live, HttpContext context) => await WithKeyAsync(context.Request, key =>
            Reply.Ok(new WireRow { ["success"] = true, ["key"] = Row(live.Change((market, now) => market.AddAccountKey(key, now, Gate.Of(context).AccountId))) })));
        api.MapPut("/api/v0/ssh/{keyId:int}", async (int keyId, LiveMarket live, HttpContext context) => await WithKeyAsync(context.Request, key =>
            Changed(live.Change((market, _) => market.ReplaceAccountKey(keyId, key, Gate.Of(context).AccountId)))));
        api.MapDelete("/api/v0/ssh/{keyId:int}", (int keyId, LiveMarket live, HttpContext context) =>
            Changed(live.Change((market, _) => market.RemoveAccountKey(keyId, Gate.Of(context).AccountId))));
        api.MapGet("/api/v0/charges", (LiveMarket live, HttpContext context) => Charges.Answer(live, Gate.Of(context).AccountId, context.Request.Query));
        api.MapGet("/api/v1/invoices", (LiveMarket live, HttpContext context) => Invoices.Answer(live, Gate.Of(context).AccountId, context.Request.Query));
        api.MapGet("/api/v0/users/me/invoices", (LiveMarket live, HttpContext context) => Invoices.Legacy(live, Gate.Of(context).AccountId, context.Request.Query));
    }

    /// <summary>Reads <c>ssh_key</c> from the body and refuses what is no public key.</summary>
    public static async Task<Reply> WithKeyAsync(HttpRequest request, Func<string, Reply> use)
    {
        if (await Body.ReadAsync(request) is not { } body)
        {
            return Reply.InvalidBody();
        }

        var key = body.Text("ssh_key")?.Trim() ?? "";
        var isKey = key.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length >= 2 && !key.Contains('\n', StringComparison.Ordinal)
            && (key.StartsWith("ssh-", StringComparison.Ordinal) || key.StartsWith("ecdsa-", StringComparison.Ordinal) || key.StartsWith("sk-", StringComparison.Ordinal));
        return isKey ? use(key) : Reply.Failure(StatusCodes.Status400BadRequest, "no_ssh_key", "No valid ssh_key given.");
    }

    public static WireRow KeyRow(int id, int accountId, string publicKey, DateTimeOffset createdAt) => new()
    {
        ["id"] = id,
        ["user_id"] = accountId,
        ["key"] = publicKey,
        ["public_key"] = publicKey,
        ["created_at"] = createdAt.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", System.Globalization.CultureInfo.InvariantCulture),
        ["deleted_at"] = null,
    };

    private static WireRow Row(AccountKey key) => KeyRow(key.Id, key.AccountId, key.PublicKey, key.CreatedAt);

    private static Reply Changed(AccountKey? key) => key is null
        ? Reply.Failure(StatusCodes.Status400BadRequest, "no_ssh_key", "No such SSH key.")
        : Reply.Ok(new WireRow { ["success"] = true, ["key"] = Row(key) });

    private static AccountKey[] KeysOf(RentalMarket market, int accountId) => [.. market.State.AccountKeys.Where(key => key.AccountId == accountId)];

    private static WireRow User(RentalMarket market, Account account, ApiKey apiKey, DateTimeOffset now)
    {
        var (credit, granted) = (market.Credit(now, account.Id), market.Granted(account.Id));
        return new WireRow
        {
            ["id"] = account.Id,
            ["key_id"] = apiKey.Id,
            ["username"] = account.Name,
            ["user"] = account.Name,
            ["email"] = "sandbox@example.org",
            ["email_verified"] = true,
            ["fullname"] = "Sandbox account",
            ["credit"] = Math.Round(credit, 6),
            ["balance"] = credit < 0 ? Math.Round(credit, 6) : 0m,
            ["balance_threshold"] = 5.0,
            ["balance_threshold_enabled"] = true,
            ["autobill_threshold"] = null,
            ["autobill_amount"] = null,
            ["can_pay"] = true,
            ["has_billing"] = true,
            ["last4"] = null,
            ["billing_creditonly"] = 1,
            ["billed_expected"] = granted,
            ["billed_verified"] = granted,
            ["paid_expected"] = 0.0,
            ["paid_verified"] = 0.0,
            ["total_spend"] = Math.Round(credit - granted, 6),
            ["has_rented"] = market.State.Contracts.Exists(contract => contract.AccountId == account.Id),
            ["host_only"] = false,
            ["got_signup_credit"] = 0,
            ["password_resettable"] = false,
            ["ssh_key"] = KeysOf(market, account.Id).LastOrDefault()?.PublicKey ?? "",
            ["rights"] = ApiKeyEndpoints.Rights(apiKey),
            ["sid"] = "sandbox",
            ["created_at"] = market.State.OpenedAt.ToUnix(),
            ["api_key"] = apiKey.Secret, // the real service echoes it too, and clients must cope
        };
    }
}
