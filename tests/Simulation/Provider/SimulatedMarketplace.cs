using System.Globalization;
using System.Text.Json;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Providers.VastAi;
using Dashboard.Sandbox.Http;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Guards;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Stories;
using MarketRentResult = Dashboard.Sandbox.Market.RentResult;
using Offer = Dashboard.Domain.Marketplaces.Offer;
using RentResult = Dashboard.Domain.Marketplaces.RentResult;

namespace Dashboard.Simulation.Provider;

/// <summary>
/// The market core as the product meets it, without a wire: every call takes its time, may be bent by a fault, and is where a
/// server can die. Machines travel as the sandbox's own rows and are read by the product's own adapter.
/// </summary>
internal sealed class SimulatedMarketplace(World world, Process server) : IMarketplace
{
    private const int PageRows = 25;
    private const int MostOffers = 16;

    private static readonly HashSet<string> Fields = [.. typeof(WireInstance).GetProperties().Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name))];

    public Task<ProviderAccount> GetAccountAsync(CancellationToken ct) => AskAsync(ProviderCall.Account, "", _ =>
        new ProviderAccount("314159", "sandbox", Money.FromUsd(world.Market.Credit(world.Now))), ct);

    public Task<KeyProbe> ProbeRightsAsync(CancellationToken ct) => throw new NotSupportedException("No step probes.");

    public Task<IReadOnlyList<Offer>> SearchAsync(OfferQuery query, CancellationToken ct) => AskAsync(ProviderCall.Search, "", _ => OffersNow(world, query), ct);

    /// <summary>What a search is answered at this moment.</summary>
    public static IReadOnlyList<Offer> OffersNow(World world, OfferQuery query) =>
    [
        .. world.Market.Offers(query.Rental == RentalType.OnDemand ? OfferKind.OnDemand : OfferKind.Bid, query.DiskGb, world.Now)
            .Where(o => o.Rentable && o.Machine is { Verified: true, External: false, DirectPorts: > 0 } && o.Slice.GpuCount == query.GpuCount && (decimal)o.MaxDiskGb >= query.DiskGb)
            .Where(o => query.MinContract is not { } least || o.EndsAt - world.Now >= least)
            .Where(o => query.MaxRate is not { } most || HourlyRate.FromUsd(o.TotalPerHour) <= most)
            .OrderBy(o => o.TotalPerHour)
            .Take(Math.Min(MostOffers, query.Limit))
            .Select(Read),
    ];

    public Task<OfferPage> SearchPageAsync(OfferQuery query, CancellationToken ct) => throw new NotSupportedException("No step polls prices.");

    public long RowsSearched => 0;

    public Task<IReadOnlyList<ProviderPrice>> GetPriceHistoryAsync(string gpuName, bool verifiedOnly, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken ct) => throw new NotSupportedException("No step polls prices.");

    public async Task<RentResult> RentAsync(Offer offer, LaunchSpec spec, CancellationToken ct)
    {
        Bend? bent = null;
        string? made = null;
        try
        {
            var answer = await AskAsync(ProviderCall.Rent, spec.Label, bend =>
            {
                bent = bend;
                var result = Rent(offer, spec, bend);
                made = (result as RentResult.Rented)?.ContractId;
                return result;
            }, ct, bend => bent = bend);
            return bent?.RentAnswer is { } instead ? instead(made) : answer;
        }
        catch (MarketplaceException) when (bent?.RentAnswer is { } instead)
        {
            return instead(made);
        }
        catch (MarketplaceException fault)
        {
            return new RentResult.Unclear(fault.Message, Light: false);
        }
    }

    public Task<InstanceListing> ListAsync(CancellationToken ct) => ListAsync(ProviderCall.List, null, ct);

    public Task<InstanceListing> FindByLabelAsync(string label, CancellationToken ct) => ListAsync(ProviderCall.Find, label, ct);

    public async Task<ObservedInstance?> GetAsync(string contractId, CancellationToken ct)
    {
        var asked = server.Time.GetUtcNow();
        var row = await AskAsync(ProviderCall.Get, $"machine {contractId}", _ => world.Market.Find(Number(contractId)) is { } contract ? InstanceRows.Of(world.Market, contract, world.Now) : null, ct);
        return row is null ? null : Read(row, asked);
    }

    public Task AttachSshKeyAsync(string contractId, string publicKey, CancellationToken ct) => AskAsync(ProviderCall.AttachKey, $"machine {contractId}", _ =>
        world.Market.AttachKey(Number(contractId), publicKey, world.Now) ?? throw new InstanceGoneException("No such instance."), ct);

    public Task<string?> ReadContainerLogAsync(string contractId, int lines, CancellationToken ct) => AskAsync(ProviderCall.ReadLog, $"machine {contractId}", _ =>
        world.Hosts.Find(contractId) is { Up: true } host ? $"gd-hostkey {host.PrintedKey}\n" : null, ct);

    public Task DestroyAsync(string contractId, CancellationToken ct)
    {
        world.Caps.DestroyAsked(contractId);
        return AskAsync(ProviderCall.Destroy, $"machine {contractId}", _ =>
        {
            world.Watch.DestroyArrived(contractId);
            world.Faults.Happens(Moment.DestroyAsked, contractId);
            return world.Market.Destroy(Number(contractId), world.Now); // what is gone is destroyed
        }, ct);
    }

    public Task StopAsync(string contractId, CancellationToken ct) => AskAsync(ProviderCall.Stop, $"machine {contractId}", _ =>
        world.Market.Stop(Number(contractId), world.Now) is StateChange.NoSuchInstance ? throw new InstanceGoneException("No such instance.") : true, ct);

    public Task<bool> StartAsync(string contractId, CancellationToken ct) => AskAsync(ProviderCall.Start, $"machine {contractId}", _ => world.Market.Start(Number(contractId), world.Now) switch
    {
        StateChange.NoSuchInstance => throw new InstanceGoneException("No such instance."),
        StateChange.Done => true,
        StateChange.Queued => false,
        var refused => throw new ProviderUnavailableException(refused.ToString()),
    }, ct);

    public Task ChangeBidAsync(string contractId, HourlyRate bid, CancellationToken ct) =>
        AskAsync(ProviderCall.ChangeBid, $"machine {contractId}", _ => world.Market.ChangeBid(Number(contractId), bid.Usd, world.Now), ct);

    public Task<IReadOnlyList<ProviderCharge>> GetChargesAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken ct) => throw new NotSupportedException("No step asks for charges.");

    /// <summary>One call: there, its effect, and back. What has been sent takes effect even if the server dies on the way.</summary>
    private async Task<T> AskAsync<T>(ProviderCall call, string about, Func<Bend?, T> effect, CancellationToken ct, Action<Bend>? bending = null)
    {
        await server.UpAsync();
        await world.Crashes.PassAsync(server, $"before {call.Word()}");
        ct.ThrowIfCancellationRequested();
        var bend = world.Faults.Take(call);
        if (bend is not null)
        {
            bending?.Invoke(bend);
        }

        world.Watch.Asked(call);
        if (call == ProviderCall.Rent)
        {
            world.Watch.RentSent(about);
        }

        var (there, back) = (Way() + (bend?.ArrivesLate ?? TimeSpan.Zero), Way() + (bend?.AnswersLate ?? TimeSpan.Zero));
        T? answer = default;
        Exception? refusal = null;
        if (bend is not { Lost: true })
        {
            void Arrive()
            {
                world.AdvanceMarket();
                try
                {
                    answer = effect(bend);
                }
                catch (MarketplaceException fault)
                {
                    refusal = fault;
                }

                world.AdvanceMarket();
            }

            if (there == TimeSpan.Zero)
            {
                Arrive();
            }
            else
            {
                world.Time.At(there, Arrive);
            }
        }

        var waits = bend is { ArrivesLate.Ticks: > 0 } ? back : there + back; // whoever gives up does not wait for what arrives late
        if (waits > TimeSpan.Zero)
        {
            await server.PauseAsync(waits, ct);
        }

        await world.Crashes.PassAsync(server, $"after {call.Word()}");
        var error = bend?.Throws?.Invoke() ?? refusal;
        if (world.Story.Told && (call is not (ProviderCall.List or ProviderCall.Get) || bend is not null))
        {
            world.Story.Add(Teller.Provider, $"{call.Word()} {about}: {(error is null ? Words(answer) : error.Message)}{(bend is null ? "" : $" ({bend.Words})")}");
        }

        return error is null ? answer! : throw error;
    }

    private TimeSpan Way() => world.Chance.Next(10) switch
    {
        < 7 => TimeSpan.Zero,
        < 9 => TimeSpan.FromMilliseconds(world.Chance.Next(20, 400)),
        _ => TimeSpan.FromMilliseconds(world.Chance.Next(400, 3000)),
    };

    private RentResult Rent(Offer offer, LaunchSpec spec, Bend? bend)
    {
        var ask = Number(offer.Id);
        if (bend?.BeforeRent is { } before && world.Market.FindOffer(ask, world.Now) is { } listed)
        {
            before(listed);
        }

        var request = new RentRequest { Image = spec.Image, DiskGb = spec.DiskGb, Label = spec.Label, OnStart = spec.OnStart, Bid = spec.BidUsdPerHour, StartRunning = bend is not { RentsStopped: true } };
        switch (world.Market.Rent(ask, request, world.Now))
        {
            case MarketRentResult.Rented { Contract: var contract }:
                var id = contract.Id.ToString(CultureInfo.InvariantCulture);
                world.Watch.Rented(contract);
                world.Faults.Happens(Moment.Rented, id);
                return new RentResult.Rented(id, new Secret(contract.InstanceKey));
            case MarketRentResult.Outbid { Leftover: var leftover }:
                if (leftover is not null)
                {
                    world.Watch.Rented(leftover);
                }

                return new RentResult.BidTooLow(leftover?.Id.ToString(CultureInfo.InvariantCulture));
            case MarketRentResult.BidTooLow:
                return new RentResult.BidTooLow(null);
            case MarketRentResult.NoCredit:
                return new RentResult.CreditTooLow("Your account lacks credit; see the billing page.");
            case MarketRentResult.SpendLimit limit:
                return new RentResult.SpendRateLimited($"At most {limit.PerHour} USD per hour.");
            default:
                return new RentResult.OfferGone();
        }
    }

    private async Task<InstanceListing> ListAsync(ProviderCall call, string? label, CancellationToken ct)
    {
        var at = server.Time.GetUtcNow();
        var tellsStates = true;
        var pages = await AskAsync(call, label is null ? "" : $"label {label}", bend =>
        {
            tellsStates = bend is not { TellsNoStates: true };
            var all = PagesOf(label, bend?.Old ?? TimeSpan.Zero);
            bend?.Pages?.Invoke(all);
            return all;
        }, ct);
        if (world.Schedule.Mutant == Mutant.NoCompleteListing)
        {
            return new InstanceListing(at, [.. pages.SelectMany(page => page.Rows).Select(row => Read(row, at))]);
        }

        var listing = new ListingPages();
        foreach (var page in pages)
        {
            listing.Add(page.Rows.Select(row => Read(row, at)).ToList(), page.Total, page.Found, page.LabelCounts);
        }

        var complete = listing.Complete(at);
        if (label is null && tellsStates)
        {
            world.Watch.Listed();
        }

        return complete;
    }

    private List<ListingPage> PagesOf(string? label, TimeSpan old)
    {
        var seen = world.Faults.Rows(label, old);
        var counts = seen.CountBy(row => row.Contract.Label ?? "").ToDictionary(count => count.Key, count => count.Value);
        var pages = seen.Chunk(PageRows).Select(chunk => new ListingPage
        {
            Rows = [.. chunk.Select(row => row.Row)],
            Total = seen.Count,
            Found = chunk.Length,
            LabelCounts = counts,
        }).ToList();
        return pages.Count > 0 ? pages : [new ListingPage { Total = 0, Found = 0 }];
    }

    private ObservedInstance Read(WireRow row, DateTimeOffset asked)
    {
        // What the adapter does not read need not travel.
        var wire = JsonSerializer.SerializeToElement(row.Where(field => Fields.Contains(field.Key)).ToDictionary());
        try
        {
            return VastAiInstances.Read(wire.Deserialize<WireInstance>(VastAiJson.Options)!, asked, server.Time.GetUtcNow());
        }
        catch (JsonException error)
        {
            throw new ProviderUnavailableException($"The answer has an unknown form at {error.Path}.");
        }
    }

    private static Offer Read(Sandbox.Market.Offer o) => new()
    {
        Id = o.AskId.ToString(CultureInfo.InvariantCulture),
        MachineId = o.Machine.MachineId.ToString(CultureInfo.InvariantCulture),
        GpuName = o.Machine.Gpu.Name,
        GpuCount = o.Slice.GpuCount,
        VramMb = o.Machine.Gpu.RamMb,
        Rental = o.Kind == OfferKind.Bid ? RentalType.Interruptible : RentalType.OnDemand,
        GpuRate = HourlyRate.FromUsd(o.GpuPerHour),
        DiskRate = HourlyRate.FromUsd(o.DiskPerHour),
        StorageUsdPerGbMonth = o.Machine.StorageCost,
        DownloadPerGb = Money.FromUsd(o.Machine.DownloadCost),
        UploadPerGb = Money.FromUsd(o.Machine.UploadCost),
        DiskGb = (decimal)o.MaxDiskGb,
        DiskMbPerSecond = (decimal)o.Machine.DiskMbPerSecond,
        DownloadMbps = (decimal)o.Machine.DownloadMbps,
        UploadMbps = (decimal)o.Machine.UploadMbps,
        Reliability = (decimal)o.Machine.Reliability,
        Verified = o.Machine.Verified,
        DirectPorts = o.Machine.DirectPorts,
        Location = o.Machine.Place,
        ContractEnd = o.EndsAt,
    };

    private static int Number(string id) => int.Parse(id, CultureInfo.InvariantCulture);

    private static string Words<T>(T? answer) => answer switch
    {
        RentResult.Rented rented => $"contract {rented.ContractId}",
        RentResult other => other.GetType().Name,
        IReadOnlyList<Offer> offers => $"{offers.Count} offers",
        IReadOnlyList<ListingPage> pages => $"{pages.Sum(page => page.Rows.Count)} machines",
        bool done => done ? "accepted" : "no such machine",
        _ => "answered",
    };
}
