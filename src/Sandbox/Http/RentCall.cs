using System.Globalization;
using System.Text.Json;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>The call that spends money: reads its many fields, refuses what the provider refuses, in the provider's words.</summary>
internal static class RentCall
{
    private const int MostScriptLetters = 4096;
    private const int MostImageLetters = 1024;
    private const int MostLabelLetters = 256;
    private const int MostEnvironmentLetters = 32_768;
    private const int MostVariableNameLetters = 256;
    private const int MostPorts = 64;
    private const decimal LeastDiskGb = 8;

    public static async Task<Reply> AnswerAsync(LiveMarket live, int askId, int accountId, HttpRequest request)
    {
        if (await Body.ReadAsync(request) is not { } body)
        {
            return Reply.InvalidBody();
        }

        var (rent, refusal) = Read(body);
        if (rent is null)
        {
            return live.Change((market, _) =>
            {
                market.NoteRentCall(body.Text("label"));
                return refusal!;
            });
        }

        return live.Change((market, now) => Answer(market.Rent(askId, rent with { AccountId = accountId }, now), askId));
    }

    private static Reply Answer(RentResult result, int askId) => result switch
    {
        RentResult.Rented rented => Reply.Ok(new WireRow
        {
            ["success"] = true,
            ["new_contract"] = rented.Contract.Id,
            ["instance_api_key"] = rented.Contract.InstanceKey,
        }),
        RentResult.NeverListed => Reply.Failure(
            StatusCodes.Status404NotFound, "invalid_args", Invariant($"error 404/3603: no_such_ask Instance type by id {askId} is not available.")),
        RentResult.Gone gone => Reply.Failure(
            StatusCodes.Status410Gone, "no_such_ask", Invariant($"error 410/3907: no_such_ask Instance type {askId} is no longer available.") + (gone.Note is { } note ? " " + note : "")),
        RentResult.Taken => Reply.Failure(
            StatusCodes.Status400BadRequest, "no_such_ask", Invariant($"error 400/3907: no_such_ask Instance type {askId} is no longer available.")),
        RentResult.NotYours => Reply.Failure(StatusCodes.Status403Forbidden, "invalid_args", Invariant($"error 403/3586: Offer {askId} is not your own; it can only be rented by its host.")),
        RentResult.SpendLimit limit => Reply.Failure(
            StatusCodes.Status400BadRequest, "spend_rate_limit", Invariant($"Your account may spend at most {limit.PerHour} USD per hour for now; try again later.")),
        RentResult.NoKeyForVirtualMachine => Reply.Failure(StatusCodes.Status400BadRequest, "no_ssh_key_for_vm", "error 400/3467: A virtual machine needs an SSH key in the account."),
        RentResult.Outbid { Leftover: { } leftover } => Reply.Ok(new WireRow
        {
            ["success"] = false,
            ["error"] = "bid_too_low",
            ["msg"] = "Bid price is lower than the current bids; the instance was created stopped.",
            ["new_contract"] = leftover.Id,
        }),
        RentResult.Outbid => Reply.Failure(StatusCodes.Status400BadRequest, "bid_too_low", "Bid price is lower than the current bids."),
        RentResult.NoCredit => Reply.Failure(StatusCodes.Status400BadRequest, "insufficient_credit", "Your account lacks credit; see the billing page."),
        RentResult.BidTooLow low => Reply.Failure(StatusCodes.Status400BadRequest, "invalid_price", Invariant($"error 400/3475: Bid price is below the minimum of {low.Floor}.")),
        RentResult.DiskTooLarge disk => Reply.InvalidArguments(Invariant($"disk must be at most {disk.MostGb} GB on this machine.")),
        _ => throw new InvalidOperationException($"No answer for {result}."),
    };

    private static (RentRequest? Request, Reply? Refusal) Read(JsonElement body)
    {
        var image = body.Text("image");
        var hasTemplate = body.Field("template_hash_id") is not null || body.Field("template_id") is not null;
        if (string.IsNullOrWhiteSpace(image) && !hasTemplate)
        {
            return (null, Reply.InvalidArguments("image is required."));
        }

        if (image?.Length > MostImageLetters)
        {
            return (null, Reply.InvalidArguments(Invariant($"image is longer than {MostImageLetters}.")));
        }

        var disk = body.Field("disk") is null ? 10m : body.Number("disk");
        if (disk is not >= LeastDiskGb)
        {
            return (null, Reply.InvalidArguments(Invariant($"disk must be a number of at least {LeastDiskGb}.")));
        }

        if (body.Text("label")?.Length > MostLabelLetters)
        {
            return (null, Reply.Failure(StatusCodes.Status400BadRequest, "label_too_long", Invariant($"label is longer than {MostLabelLetters}.")));
        }

        var onStart = body.Text("onstart") ?? "";
        if (onStart.Length + ArgumentLetters(body) > MostScriptLetters)
        {
            return (null, Reply.InvalidArguments(Invariant($"args, args_str and onstart are longer than {MostScriptLetters} together.")));
        }

        var price = body.Field("price") is null ? null : body.Number("price");
        if (body.Field("price") is not null && price is not (>= 0.001m and <= 128m))
        {
            return (null, Reply.Failure(StatusCodes.Status400BadRequest, "invalid_price", "error 400/3475: price must be between 0.001 and 128."));
        }

        var (environment, problem) = Environment(body);
        if (environment is null)
        {
            return (null, Reply.InvalidArguments(problem!));
        }

        return (new RentRequest
        {
            Image = image ?? "template",
            DiskGb = disk.Value,
            Label = body.Text("label"),
            RunType = body.Text("runtype") ?? "ssh",
            OnStart = onStart,
            Environment = environment,
            Bid = price,
            StartRunning = body.Text("target_state") != "stopped",
            CancelUnavailable = body.Flag("cancel_unavail") ?? price is null,
            VirtualMachine = body.Flag("vm") ?? false,
        }, null);
    }

    private static int ArgumentLetters(JsonElement body) => (body.Text("args_str")?.Length ?? 0)
        + (body.Field("args") is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Sum(argument => argument.ToString().Length) : 0);

    // A flags string is accepted and not applied, as on the real service.
    private static (List<KeyValuePair<string, string>>? Environment, string? Problem) Environment(JsonElement body)
    {
        if (body.Field("env") is not { ValueKind: JsonValueKind.Object } given)
        {
            return ([], null);
        }

        var entries = given.EnumerateObject().Select(entry => new KeyValuePair<string, string>(entry.Name, entry.Value.ToString())).ToList();
        return entries switch
        {
            _ when entries.Exists(entry => entry.Key.Length > MostVariableNameLetters) => (null, Invariant($"env has a key longer than {MostVariableNameLetters}.")),
            _ when entries.Exists(entry => (entry.Key + entry.Value).Contains('\0', StringComparison.Ordinal)) => (null, "env holds a NUL."),
            _ when entries.Sum(entry => entry.Key.Length + entry.Value.Length) > MostEnvironmentLetters => (null, Invariant($"env is longer than {MostEnvironmentLetters}.")),
            _ when entries.Count(entry => entry.Key.StartsWith("-p ", StringComparison.Ordinal)) > MostPorts => (null, Invariant($"env maps more than {MostPorts} ports.")),
            _ => (entries, null),
        };
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
