using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Egress;
using Refit;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>One Vast.ai account, at the real service or at the sandbox.</summary>
internal sealed partial class VastAiMarketplace : IMarketplace
{
    private const int ListPage = 25;
    private const int MostListPages = 400;
    private const int ChargesPage = 500;
    private const int MostChargePages = 200;
    private const int LargestLog = 4 * 1024 * 1024;
    private static readonly TimeSpan LogPoll = TimeSpan.FromMilliseconds(400);

    private readonly VastAiClients _clients;
    private readonly Secret _key;
    private readonly Uri _base;
    private readonly string _market;
    private readonly string _account;
    private readonly VastAiLimits _limits;
    private readonly IVastAiApi _repeatable;
    private readonly IVastAiApi _rent;
    private readonly IVastAiApi _destroy;

    public VastAiMarketplace(VastAiClients clients, Market market, Secret key)
    {
        _clients = clients;
        _key = key;
        _base = new Uri(market.BaseUrl.TrimEnd('/') + "/");
        _market = market.Name;
        _account = VastAiGates.AccountOf(market, key);
        _limits = market.Simulated ? clients.Options.SandboxLimits : clients.Options.Limits;
        _repeatable = clients.Create(VastAiClients.Repeatable, _base, key);
        _rent = clients.Create(VastAiClients.Rent, _base, key);
        _destroy = clients.Create(VastAiClients.Destroy, _base, key);
    }

    public async Task<ProviderAccount> GetAccountAsync(CancellationToken ct)
    {
        var reply = await AskAsync(VastAiEndpoint.Account, call => _repeatable.GetUserAsync(call, ct), ct);
        var user = reply.Read<WireUser>();
        if (string.IsNullOrEmpty(user.Id))
        {
            throw new ProviderUnavailableException("The account came without an id.");
        }

        return new ProviderAccount(user.Id, NameOf(user), user.Credit is { } credit ? Money.FromUsd(credit) : null);
    }

    public async Task<IReadOnlyList<Offer>> SearchAsync(OfferQuery query, CancellationToken ct) => (await SearchPageAsync(query, ct)).Offers;

    public long RowsSearched => _clients.Rows.Of(_account);

    public async Task<OfferPage> SearchPageAsync(OfferQuery query, CancellationToken ct)
    {
        var reply = await AskAsync(VastAiEndpoint.Search, call => _repeatable.SearchAsync(VastAiOffers.Query(query), call, ct), ct);
        if (!query.Poll)
        {
            _clients.Rows.Add(_account, reply.Field("offers") is { ValueKind: JsonValueKind.Array } rows ? rows.GetArrayLength() : 0);
        }

        return VastAiOffers.ReadPage(reply, query, _clients.Time.GetUtcNow());
    }

    public async Task<IReadOnlyList<ProviderPrice>> GetPriceHistoryAsync(string gpuName, bool verifiedOnly, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken ct)
    {
        var reply = await AskAsync(
            VastAiEndpoint.Metrics,
            call => _repeatable.GetPriceHistoryAsync(gpuName, verifiedOnly ? "yes" : "all", "all", from.ToUnixTimeSeconds(), to.ToUnixTimeSeconds(), (long)step.TotalSeconds, call, ct), ct);
        return VastAiMetrics.Read(reply, gpuName, verifiedOnly);
    }

    public async Task<RentResult> RentAsync(Offer offer, LaunchSpec spec, CancellationToken ct)
    {
        // A bid decides the type of the contract, not the offer: without one an interruptible offer is rented at the full price.
        if ((offer.Rental == RentalType.Interruptible) != spec.BidUsdPerHour is not null)
        {
            throw new ArgumentException($"An {offer.Rental} offer with a bid of {spec.BidUsdPerHour?.ToString(CultureInfo.InvariantCulture) ?? "nothing"}.", nameof(spec));
        }

        var gate = _clients.Gates.Of(_account, VastAiEndpoint.Rent, _limits);
        var call = new VastAiCall(gate, _market);
        var body = new WireRent { Image = spec.Image, Disk = spec.DiskGb, Label = spec.Label, Env = spec.Environment, Onstart = spec.OnStart, Price = spec.BidUsdPerHour };
        try
        {
            using var response = await _rent.RentAsync(offer.Id, body, call, ct);
            var reply = await VastAiReply.ReadAsync(response, _key, CancellationToken.None); // buffered already
            if (reply.Status == HttpStatusCode.TooManyRequests)
            {
                gate.Close(VastAiErrors.PauseOf(reply));
            }

            return VastAiRent.Read(reply, bid: spec.BidUsdPerHour is not null);
        }
        catch (Exception error) when (call.Sent)
        {
            // Whatever broke, the request may have arrived and a machine may be running.
            return new RentResult.Unclear(Root(error).Message, Light: false);
        }
        catch (Exception error) when (Root(error) is RateLimitedException limited)
        {
            return new RentResult.Unclear(limited.Message, Light: true);
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(ct);
        }
    }

    public Task<InstanceListing> ListAsync(CancellationToken ct) => ListAsync(label: null, ct);

    public Task<InstanceListing> FindByLabelAsync(string label, CancellationToken ct) => ListAsync(label, ct);

    public async Task<ObservedInstance?> GetAsync(string contractId, CancellationToken ct)
    {
        VastAiReply reply;
        var asked = _clients.Time.GetUtcNow();
        try
        {
            reply = await AskAsync(VastAiEndpoint.Get, call => _repeatable.GetAsync(contractId, call, ct), ct);
        }
        catch (InstanceGoneException)
        {
            return null;
        }

        return reply.Field("instances") switch
        {
            { ValueKind: JsonValueKind.Null } => null, // "gone" is 200 and null
            { ValueKind: JsonValueKind.Object } row when VastAiInstances.Read(reply.Read<WireInstance>(row), asked, _clients.Time.GetUtcNow()) is var instance =>
                instance.ContractId == contractId ? instance : throw new ProviderUnavailableException($"Asked for machine {contractId} and got {instance.ContractId}."),
            _ => throw new ProviderUnavailableException("The machine was answered in an unknown form."),
        };
    }

    public Task AttachSshKeyAsync(string contractId, string publicKey, CancellationToken ct) =>
        AskAsync(VastAiEndpoint.AttachKey, call => _repeatable.AttachKeyAsync(contractId, new WireSshKey(publicKey), call, ct), ct);

    public async Task<string?> ReadContainerLogAsync(string contractId, int lines, CancellationToken ct)
    {
        var tail = new WireLogRequest(lines.ToString(CultureInfo.InvariantCulture));
        var reply = await AskAsync(VastAiEndpoint.Logs, call => _repeatable.RequestLogsAsync(contractId, tail, call, ct), ct);
        if (!Uri.TryCreate(reply.Read<WireLogReply>().ResultUrl, UriKind.Absolute, out var address))
        {
            return null;
        }

        // The provider uploads the file after its answer: 403 and 404 mean "not yet".
        var started = _clients.Time.GetTimestamp();
        var limit = _clients.Options.LogWait;
        while (_clients.Time.GetElapsedTime(started) is var waited && waited < limit)
        {
            try
            {
                var file = await _clients.Egress.GetAsync(address, LargestLog, limit - waited, _base, ct);
                if (file.Status == HttpStatusCode.OK)
                {
                    return Encoding.UTF8.GetString(file.Body);
                }
            }
            catch (HttpRequestException)
            {
                // Not there either; the limit ends this.
            }
            catch (EgressRefusedException refused)
            {
                throw new ProviderUnavailableException($"The log cannot be fetched. {refused.Message}", refused);
            }

            await Task.Delay(LogPoll, _clients.Time, ct);
        }

        return null;
    }

    public async Task DestroyAsync(string contractId, CancellationToken ct)
    {
        try
        {
            await AskAsync(VastAiEndpoint.Destroy, call => _destroy.DestroyAsync(contractId, call, ct), ct);
        }
        catch (InstanceGoneException)
        {
            // What is gone is destroyed.
        }
    }

    public Task StopAsync(string contractId, CancellationToken ct) =>
        AskAsync(VastAiEndpoint.StateChange, call => _repeatable.ChangeStateAsync(contractId, new WireState("stopped"), call, ct), ct);

    public async Task<bool> StartAsync(string contractId, CancellationToken ct)
    {
        var reply = await AskAsync(VastAiEndpoint.StateChange, call => _repeatable.ChangeStateAsync(contractId, new WireState("running"), call, ct), ct, IsQueued);
        return reply.Ok;

        // Flagged as a failure, and yet it will start once the GPUs are free.
        static bool IsQueued(VastAiReply reply) => reply.Says("state change queued");
    }

    public Task ChangeBidAsync(string contractId, HourlyRate bid, CancellationToken ct) =>
        AskAsync(VastAiEndpoint.ChangeBid, call => _repeatable.ChangeBidAsync(contractId, new WireBid(bid.Usd), call, ct), ct);

    public async Task<IReadOnlyList<ProviderCharge>> GetChargesAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        // Charges are kept by day: whole days are asked for, and a charge belongs to the window when it overlaps it.
        var first = new DateTimeOffset(from.UtcDateTime.Date, TimeSpan.Zero).ToUnixTimeSeconds();
        var last = new DateTimeOffset(to.UtcDateTime.Date, TimeSpan.Zero).AddDays(1).ToUnixTimeSeconds() - 1;
        var filters = JsonSerializer.Serialize(new { day = new { gte = first, lte = last }, type = new Dictionary<string, string[]> { ["in"] = ["instance"] } });
        var charges = new List<ProviderCharge>();
        await foreach (var reply in PagesAsync(
            VastAiEndpoint.Charges, MostChargePages, (token, call) => _repeatable.GetChargesAsync(filters, "tree", "false", ChargesPage, token, call, ct), ct))
        {
            foreach (var row in RowsOf(reply, "results", mayBeNull: false))
            {
                charges.AddRange(VastAiCharges.Read(reply.Read<WireCharge>(row)).Where(charge => charge.From < to && charge.To >= from));
            }
        }

        return charges;
    }

    /// <summary>All pages, or an exception: whoever reads this draws conclusions from what is not in it.</summary>
    private async Task<InstanceListing> ListAsync(string? label, CancellationToken ct)
    {
        var at = _clients.Time.GetUtcNow();
        var asked = at;
        var filters = label is null ? null : JsonSerializer.Serialize(new { label = new { eq = label } });
        var pages = new ListingPages();
        await foreach (var reply in PagesAsync(
            VastAiEndpoint.List, MostListPages, (token, call) => _repeatable.ListAsync(ListPage, """[{"col":"id","dir":"asc"}]""", filters, token, call, ct), ct))
        {
            var total = VastAiJson.Count(reply.Field("total_instances"));
            var received = _clients.Time.GetUtcNow();
            var rows = RowsOf(reply, "instances", mayBeNull: total == 0).Select(row => VastAiInstances.Read(reply.Read<WireInstance>(row), asked, received)).ToList();
            pages.Add(rows, total, VastAiJson.Count(reply.Field("instances_found")), CountsOf(reply.Field("label_counts")));
            asked = received;
        }

        var listing = pages.Complete(at);
        return label is null ? listing : listing with { Instances = [.. listing.Instances.Where(instance => instance.Label == label)] };
    }

    private static Dictionary<string, int> CountsOf(JsonElement? told)
    {
        var counts = new Dictionary<string, int>();
        if (told is { ValueKind: JsonValueKind.Object } labels)
        {
            foreach (var label in labels.EnumerateObject())
            {
                if (VastAiJson.Count(label.Value) is { } count)
                {
                    counts[label.Name] = count;
                }
            }
        }

        return counts;
    }

    private async IAsyncEnumerable<VastAiReply> PagesAsync(
        VastAiEndpoint endpoint, int most, Func<string?, VastAiCall, Task<HttpResponseMessage>> ask, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        string? token = null;
        var tokens = new HashSet<string>();
        for (var page = 0; page < most; page++)
        {
            var reply = await AskAsync(endpoint, call => ask(token, call), ct);
            yield return reply;
            switch (reply.Field("next_token"))
            {
                case { ValueKind: JsonValueKind.Null }:
                case { ValueKind: JsonValueKind.String } end when end.ValueEquals(""):
                    yield break;
                case { ValueKind: JsonValueKind.String or JsonValueKind.Number } next when tokens.Add(next.ToString()):
                    token = next.ToString();
                    break;
                default:
                    throw new ProviderUnavailableException("The pages of the answer do not end properly.");
            }
        }

        throw new ProviderUnavailableException($"The answer has more than {most} pages.");
    }

    private static JsonElement[] RowsOf(VastAiReply reply, string name, bool mayBeNull) => reply.Field(name) switch
    {
        { ValueKind: JsonValueKind.Array } rows => [.. rows.EnumerateArray()],
        { ValueKind: JsonValueKind.Null } when mayBeNull => [],
        _ => throw new ProviderUnavailableException($"The answer came without {name}."),
    };

    /// <summary>One call of any kind but rent. A return is a success the provider has confirmed.</summary>
    /// <param name="accepts">Answers that are flagged as failures and are an answer all the same.</param>
    private async Task<VastAiReply> AskAsync(VastAiEndpoint endpoint, Func<VastAiCall, Task<HttpResponseMessage>> ask, CancellationToken ct, Func<VastAiReply, bool>? accepts = null)
    {
        var gate = _clients.Gates.Of(_account, endpoint, _limits);
        VastAiReply reply;
        try
        {
            using var response = await ask(new VastAiCall(gate, _market));
            reply = await VastAiReply.ReadAsync(response, _key, ct);
        }
        catch (Exception error)
        {
            ct.ThrowIfCancellationRequested();
            throw Root(error) switch
            {
                RateLimitedException limited => limited,
                HttpRequestException or IOException or OperationCanceledException or Polly.Timeout.TimeoutRejectedException =>
                    new ProviderUnavailableException($"No answer: {Root(error).Message}", Root(error)),
                _ => new InvalidOperationException("The call could not be made.", Root(error)),
            };
        }

        if (reply.Ok || accepts?.Invoke(reply) == true)
        {
            return reply.Json is null ? throw new ProviderUnavailableException($"HTTP {(int)reply.Status} without JSON.") : reply;
        }

        var refusal = VastAiErrors.Exception(reply);
        if (refusal is RateLimitedException tooOften)
        {
            gate.Close(tooOften.RetryAfter);
        }

        throw refusal;
    }

    // Refit wraps what the network throws, together with the request and its Authorization header: only the inner one may go on.
    private static Exception Root(Exception error) => error is ApiExceptionBase { InnerException: { } inner } ? inner : error;

    private static string NameOf(WireUser user) => user.Username is { Length: > 0 } name && !name.Contains('@') ? name : $"account {user.Id}";
}
