using System.Text.Json;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>The account: who it is, its SSH keys, its charges.</summary>
internal static class AccountEndpoints
{
    public const int UserId = 314159;

    public static void MapAccount(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v0/users/current", (LiveMarket live) => live.Read((market, now) => Reply.Ok(User(market, now))));
        api.MapGet("/api/v0/ssh", (LiveMarket live) => live.Read((market, _) => market.State.AccountKeys.Count == 0
            ? Reply.Failure(StatusCodes.Status404NotFound, "no_ssh_key", "No SSH keys found.")
            : Reply.Ok(market.State.AccountKeys.Select(Row).ToArray())));
        api.MapPost("/api/v0/ssh", async (LiveMarket live, HttpRequest request) => await WithKeyAsync(request, key =>
            Reply.Ok(new WireRow { ["success"] = true, ["key"] = Row(live.Change((market, now) => market.AddAccountKey(key, now))) })));
        api.MapPut("/api/v0/ssh/{keyId:int}", async (int keyId, LiveMarket live, HttpRequest request) => await WithKeyAsync(request, key =>
            Changed(live.Change((market, _) => market.ReplaceAccountKey(keyId, key)))));
        api.MapDelete("/api/v0/ssh/{keyId:int}", (int keyId, LiveMarket live) => Changed(live.Change((market, _) => market.RemoveAccountKey(keyId))));
        api.MapGet("/api/v0/charges", (LiveMarket live, HttpRequest request) => Charges.Answer(live, request.Query));
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

    public static WireRow KeyRow(int id, string publicKey, DateTimeOffset createdAt) => new()
    {
        ["id"] = id,
        ["user_id"] = UserId,
        ["key"] = publicKey,
        ["public_key"] = publicKey,
        ["created_at"] = createdAt.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", System.Globalization.CultureInfo.InvariantCulture),
        ["deleted_at"] = null,
    };

    private static WireRow Row(AccountKey key) => KeyRow(key.Id, key.PublicKey, key.CreatedAt);

    private static Reply Changed(AccountKey? key) => key is null
        ? Reply.Failure(StatusCodes.Status400BadRequest, "no_ssh_key", "No such SSH key.")
        : Reply.Ok(new WireRow { ["success"] = true, ["key"] = Row(key) });

    private static WireRow User(RentalMarket market, DateTimeOffset now)
    {
        var credit = market.Credit(now);
        return new WireRow
        {
            ["id"] = UserId,
            ["key_id"] = 1,
            ["username"] = "sandbox",
            ["user"] = "sandbox",
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
            ["billed_expected"] = market.State.InitialCredit,
            ["billed_verified"] = market.State.InitialCredit,
            ["paid_expected"] = 0.0,
            ["paid_verified"] = 0.0,
            ["total_spend"] = Math.Round(credit - market.State.InitialCredit, 6),
            ["has_rented"] = market.State.Contracts.Count > 0,
            ["host_only"] = false,
            ["got_signup_credit"] = 0,
            ["password_resettable"] = false,
            ["ssh_key"] = market.State.AccountKeys.LastOrDefault()?.PublicKey ?? "",
            ["rights"] = new WireRow(),
            ["sid"] = "sandbox",
            ["created_at"] = market.State.OpenedAt.ToUnix(),
            ["api_key"] = market.State.AccountApiKey, // the real service echoes it too, and clients must cope
        };
    }
}
