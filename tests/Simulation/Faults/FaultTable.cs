using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Provider;
using RentResult = Dashboard.Domain.Marketplaces.RentResult;

namespace Dashboard.Simulation.Faults;

/// <summary>One way in which the world outside can go wrong.</summary>
/// <param name="Row">The line of the failure model that says what the product has to do.</param>
/// <param name="Lay">Puts it into a world.</param>
internal sealed record Fault(string Name, string Row, Action<FaultBoard> Lay)
{
    /// <summary>Why a job may end otherwise than well under it. Empty: it has to succeed.</summary>
    public IReadOnlyList<StopReason> MayEndAs { get; init; } = [];

    public override string ToString() => Name;
}

/// <summary>All faults. A new one is one entry.</summary>
internal static class FaultTable
{
    private static readonly TimeSpan AtOnce = TimeSpan.Zero;

    public static IReadOnlyList<Fault> All { get; } =
    [
        // The one call that spends money.
        new("rent: answer lost, timeout", "5", f => f.Next(ProviderCall.Rent, 1, new("the answer is lost") { AnswersLate = S(30), RentAnswer = _ => Unclear("timeout") })),
        new("rent: answer lost, 502 page", "5", f => f.Next(ProviderCall.Rent, 1, new("a gateway answers 502") { RentAnswer = _ => Unclear("HTTP 502 with a web page") })),
        new("rent: request lost", "5", f => f.Next(ProviderCall.Rent, 1, new("the request is lost") { Lost = true, AnswersLate = S(30), RentAnswer = _ => Unclear("timeout") })),
        new("rent: arrives after the caller gave up", "5", f => f.Next(ProviderCall.Rent, 1, new("the request is slow") { ArrivesLate = S(45), AnswersLate = S(30), RentAnswer = _ => Unclear("timeout") })),
        new("rent: arrives four minutes late", "5", f => f.Next(ProviderCall.Rent, 1, new("the request is very slow") { ArrivesLate = S(240), AnswersLate = S(30), RentAnswer = _ => Unclear("timeout") })),
        new("rent: answer lost and listed late", "4, 5", f =>
        {
            f.Next(ProviderCall.Rent, 1, new("the answer is lost") { RentAnswer = _ => Unclear("connection reset") });
            f.When(Moment.Rented, AtOnce, contract => f.Hide(contract, S(85)));
        }),
        new("rent: answer lost, listings cut short", "5, 22", f =>
        {
            f.Next(ProviderCall.Rent, 1, new("the answer is lost") { RentAnswer = _ => Unclear("connection reset") });
            f.For(Moment.Rented, AtOnce, S(200), ProviderCalls.Listings, new("listings lack a row") { Pages = DropLastRow });
        }),
        new("rent: refused, contract left over", "6", f => f.Next(ProviderCall.Rent, 1, new("an error with a contract") { RentsStopped = true, RentAnswer = made => new RentResult.Refused("could not start it", made) })),
        new("rent: too fast, twice", "7", f => f.Next(ProviderCall.Rent, 2, new("429") { Lost = true, RentAnswer = _ => new RentResult.Unclear("429", Light: true) })),
        new("rent: spends too fast", "7", f => f.Next(ProviderCall.Rent, 1, new("spend limit") { Lost = true, RentAnswer = _ => new RentResult.SpendRateLimited("at most 1 USD per hour") })),
        new("offer gone", "1", f => f.Next(ProviderCall.Rent, 2, new("somebody else takes it") { BeforeRent = offer => f.World.Market.Intervene(offer.Machine, before => before with { RivalGpus = before.RivalGpus | offer.Slice.Gpus }, f.World.Now) })),
        new("price jumps before the rent", "2", f => f.Next(ProviderCall.Rent, 1, new("the price jumps") { BeforeRent = offer => f.World.Market.Intervene(offer.Machine, before => before with { PriceFactor = 1.6m }, f.World.Now) })),
        new("rented as a bid", "2", f => f.When(Moment.Rented, AtOnce, contract =>
            f.For(S(3600), [ProviderCall.List], new("says it is a bid") { Pages = pages => Rows(pages, contract, row => row["is_bid"] = true) }, blind: false))),
        new("rent: too little credit", "31", f => f.Next(ProviderCall.Rent, 1, new("no credit") { Lost = true, RentAnswer = _ => new RentResult.CreditTooLow("lacks credit") })) { MayEndAs = [StopReason.CreditExhausted] },
        new("rent: key refused", "30", f => f.Next(ProviderCall.Rent, 1, new("401") { Lost = true, RentAnswer = _ => new RentResult.KeyRefused("401") })) { MayEndAs = [StopReason.ConnectionBroken] },

        // What is asked of the provider.
        new("listed 90 s late", "4", f => f.When(Moment.Rented, AtOnce, contract => f.Hide(contract, S(90)))),
        new("machine vanishes from listings", "21, 22", f => f.When(Moment.Started, S(5), contract => f.Hide(contract, S(60)))),
        new("listing lacks a row", "22", f => f.For(Moment.Rented, S(5), S(100), ProviderCalls.Listings, new("listings lack a row") { Pages = DropLastRow })),
        new("listing is empty", "22", f => f.For(Moment.Rented, S(20), S(90), ProviderCalls.Listings, new("listings have no rows") { Pages = Empty })),
        new("listing lacks a row and adjusts its totals", "22", f => f.For(Moment.Started, S(5), S(90), ProviderCalls.Listings, new("listings lack a row, counts by label do not") { Pages = DropLastRowQuietly })),
        new("listings come late", "22", f => f.For(Moment.Rented, AtOnce, S(150), [ProviderCall.List], new("listings come late") { AnswersLate = S(20) })),
        new("listings are old", "22, 29", f =>
        {
            f.Remembers = true;
            f.For(Moment.Rented, S(2), S(150), ProviderCalls.Listings, new("listings are those of 30 s ago") { Old = S(30), TellsNoStates = true });
        }),
        new("listing repeats a row", "22", f => f.For(Moment.Rented, S(5), S(60), ProviderCalls.Listings, new("listings repeat a row") { Pages = RepeatRow })),
        new("listing speaks of more", "22", f => f.For(Moment.Started, S(5), S(60), ProviderCalls.Listings, new("totals are too high") { Pages = pages => pages[^1].Total++ })),
        new("listing without totals", "29", f => f.For(Moment.Rented, S(5), S(60), ProviderCalls.Listings, new("totals are missing") { Pages = pages => pages[^1].Total = null })),
        new("listing refused with 401", "22, 30", f => f.For(Moment.Started, S(5), S(90), ProviderCalls.Listings, new("401") { Lost = true, Throws = () => new CredentialRejectedException("401") })),
        new("listing answered with a web page", "22, 29", f => f.For(Moment.Rented, S(5), S(90), ProviderCalls.Listings, new("a web page") { Lost = true, Throws = () => new ProviderUnavailableException("HTTP 502 with a web page") })),
        new("listing drifts: fields missing", "29", f => f.For(Moment.Up, AtOnce, S(60), ProviderCalls.Listings, new("fields are missing") { TellsNoStates = true, Pages = pages => AllRows(pages, row => Remove(row, "actual_status", "ssh_port", "dph_total", "uptime_mins", "ports", "start_date")) }, blind: false)),
        new("listing drifts: odd types", "29", f => f.For(Moment.Rented, AtOnce, S(120), [ProviderCall.List, ProviderCall.Find], new("fields are of odd types") { Pages = pages => AllRows(pages, Stringify) }, blind: false)),
        new("provider out for two minutes", "20, 29", f => f.For(Moment.Started, S(10), S(120), ProviderCalls.All, new("no answer") { Lost = true, AnswersLate = S(8), Throws = NoAnswer, RentAnswer = _ => Unclear("no answer") })),
        new("provider out while it boots", "29", f => f.For(Moment.Rented, S(3), S(70), ProviderCalls.All, new("no answer") { Lost = true, AnswersLate = S(8), Throws = NoAnswer, RentAnswer = _ => Unclear("no answer") })),
        new("reads answered with 429", "29", f => f.For(Moment.Rented, S(3), S(45), [ProviderCall.List, ProviderCall.Get, ProviderCall.AttachKey, ProviderCall.ReadLog], new("429") { Lost = true, Throws = () => new RateLimitedException("too many requests", S(4)) })),
        new("search fails twice", "29", f => f.Next(ProviderCall.Search, 2, new("HTTP 503") { Lost = true, Throws = NoAnswer })),
        new("key cannot be attached at first", "29", f => f.Next(ProviderCall.AttachKey, 2, new("HTTP 500") { Throws = NoAnswer })),
        new("container log cannot be read", "10", f => f.For(S(3600), [ProviderCall.ReadLog], new("no log") { Lost = true, Throws = NoAnswer }, blind: false)),

        // The machine's start.
        new("stuck loading", "8", f => f.World.Market.InflictOnNext(InstanceFault.StuckLoading, null)),
        new("container cannot be made", "8", f => f.World.Market.InflictOnNext(InstanceFault.OciFailure, null)),
        new("sshd late", "9", f => f.World.Market.InflictOnNext(InstanceFault.SshLate, S(25))),
        new("sshd refuses for ever", "9", f => f.World.Market.InflictOnNext(InstanceFault.SshRefusing, null)),
        new("host key is not the printed one", "10", f => f.OnMachine(Moment.Up, AtOnce, "shows another host key than it printed", host => host.ChangeHostKey())),
        new("disk full from the start", "15", f => f.OnMachine(Moment.Up, AtOnce, "disk full", host => host.DiskFull = true)) { MayEndAs = [StopReason.DiskFull] },
        new("host goes away while it boots", "11", f => f.When(Moment.Rented, S(8), InstanceFault.HostOffline, S(60))),

        // The machine's run.
        new("host key changes", "10", f => f.When(Moment.Started, S(10), InstanceFault.HostKeyChanged)),
        new("host offline and back", "11", f => f.When(Moment.Started, S(15), InstanceFault.HostOffline, S(70))),
        new("host offline for good", "11", f => f.When(Moment.Started, S(15), InstanceFault.HostOffline)) { MayEndAs = [StopReason.ArtifactMissing] },
        new("host without heartbeat", "11", f => f.When(Moment.Started, S(5), InstanceFault.NoHeartbeat, S(60))),
        new("host removes the machine", "11, 21", f => f.When(Moment.Started, S(15), contract => f.World.Market.Destroy(int.Parse(contract, System.Globalization.CultureInfo.InvariantCulture), f.World.Now))) { MayEndAs = [StopReason.ArtifactMissing] },
        new("session cut", "17", f => f.When(Moment.Started, S(10), InstanceFault.SessionCut)),
        new("peer frozen", "17", f => f.OnMachine(Moment.Started, S(10), "stands still", host => host.Freeze(f.World.Now, S(60)))),
        new("supervisor dies", "14", f => f.OnMachine(Moment.Started, S(10), "its supervisor dies", host => host.StopSupervisor(f.World.Now))),
        new("container exits", "14", f => f.When(Moment.Started, S(15), InstanceFault.ContainerExits)) { MayEndAs = [StopReason.ArtifactMissing] },
        new("disk fills up", "15", f => f.OnMachine(Moment.Started, S(10), "its disk fills up", host => host.RunOutOfDisk(f.World.Now))) { MayEndAs = [StopReason.DiskFull] },
        new("stopped by the provider", "12", f => f.When(Moment.Started, S(15), contract => f.World.Market.Stop(int.Parse(contract, System.Globalization.CultureInfo.InvariantCulture), f.World.Now))) { MayEndAs = [StopReason.ArtifactMissing] },
        new("contract about to end", "13", f => f.When(Moment.Started, S(5), contract => EndAfter(f, contract, S(330)))) { MayEndAs = [StopReason.DeadlineReached] },
        new("contract ends", "13", f => f.When(Moment.Started, S(10), contract => EndAfter(f, contract, S(5)))) { MayEndAs = [StopReason.DeadlineReached, StopReason.ArtifactMissing] },
        new("credit runs out", "31", f => f.When(Moment.Started, S(10), _ => f.World.Market.AddCredit(MarketState.FirstAccount, -f.World.Market.Credit(f.World.Now) - 1, f.World.Now))) { MayEndAs = [StopReason.CreditExhausted, StopReason.ArtifactMissing] },
        new("runtime limit", "13", f => f.RuntimeLimit = S(15)) { MayEndAs = [StopReason.DeadlineReached] },
        new("file missing", "16", f => f.When(Moment.Started, AtOnce, f.LoseFilesOf)) { MayEndAs = [StopReason.ArtifactMissing] },
        new("result useless", "16", f => f.ResultsAreUseless = true) { MayEndAs = [StopReason.ArtifactMissing] },

        // A bid.
        new("outbid and back", "12", f => Bid(f, Moment.Started, S(12), S(70))) { MayEndAs = [StopReason.ArtifactMissing] },
        new("outbid for good", "12", f => Bid(f, Moment.Started, S(12), null)) { MayEndAs = [StopReason.ArtifactMissing] },
        new("outbid while it boots", "12", f => Bid(f, Moment.Rented, S(5), null)),
        new("outbid before the rent, contract left over", "6, 12", f =>
        {
            f.Bids = true;
            f.Next(ProviderCall.Rent, 1, new("somebody bids more") { BeforeRent = offer => f.World.Market.Intervene(offer.Machine, before => before with { RivalBid = 1000m }, f.World.Now) });
        }),

        // A person has it stopped and keeps it.
        new("kept by a person and started again", "12", f => Keep(f, S(7200), S(60))),
        new("kept by a person to the end", "12", f => Keep(f, S(90), null)) { MayEndAs = [StopReason.CancelledByUser] },
        new("kept by a person who thinks better of it", "12", f => Keep(f, S(7200), S(1))),
        new("kept, stop: 503, twice", "12", f =>
        {
            f.Next(ProviderCall.Stop, 2, new("HTTP 503") { Lost = true, Throws = NoAnswer });
            Keep(f, S(7200), S(60));
        }),
        new("kept, stop: answer lost", "12", f =>
        {
            f.Next(ProviderCall.Stop, 1, new("the answer is lost") { AnswersLate = S(15), Throws = NoAnswer });
            Keep(f, S(7200), S(60));
        }),
        new("kept, start: answer lost", "12", f =>
        {
            f.Next(ProviderCall.Start, 1, new("the answer is lost") { AnswersLate = S(15), Throws = NoAnswer });
            Keep(f, S(7200), S(60));
        }),
        new("kept, its GPU taken for a while", "12", f =>
        {
            f.When(Moment.Started, S(20), contract => f.Outbid(contract, S(150)));
            f.Bids = true;
            Keep(f, S(7200), S(60));
        }),
        new("kept, its GPU taken for good", "12", f =>
        {
            f.When(Moment.Started, S(20), contract => f.Outbid(contract, null));
            f.Bids = true;
            Keep(f, S(7200), S(60));
        }) { MayEndAs = [StopReason.ArtifactMissing] },
        new("kept, its start taken back", "12", f =>
        {
            f.When(Moment.Started, S(20), contract => f.Outbid(contract, S(150)));
            f.Bids = true;
            f.When(Moment.Started, S(95), _ => f.World.Keep(S(7200)));
            Keep(f, S(7200), S(60));
            f.When(Moment.Started, S(260), _ => f.World.StartAgain());
        }),
        new("kept, somebody starts it", "12", f =>
        {
            f.When(Moment.Started, S(40), contract => f.World.Market.Start(int.Parse(contract, System.Globalization.CultureInfo.InvariantCulture), f.World.Now));
            Keep(f, S(7200), S(150));
        }),

        // Its end.
        new("destroy: answer lost", "20", f => f.Next(ProviderCall.Destroy, 2, new("the answer is lost") { AnswersLate = S(15), Throws = NoAnswer })),
        new("destroy: 503, four times", "20", f => f.Next(ProviderCall.Destroy, 4, new("HTTP 503") { Lost = true, Throws = NoAnswer })),
        new("destroy: 401, twice", "20, 30", f => f.Next(ProviderCall.Destroy, 2, new("401") { Lost = true, Throws = () => new CredentialRejectedException("401") })),
        new("destroy lies", "21", f => f.When(Moment.DestroyAsked, AtOnce, InstanceFault.DestroyLies, S(75))),
        new("destroy lags", "21", f => f.When(Moment.DestroyAsked, AtOnce, InstanceFault.DestroyLags, S(50))),
        new("destroy lags, four minutes", "21", f => f.When(Moment.DestroyAsked, AtOnce, InstanceFault.DestroyLags, S(240))),

        // Around it all.
        new("clock jumps ahead", "28", f => f.When(Moment.Started, S(12), _ => f.World.JumpWallClock(TimeSpan.FromHours(1)))),
        new("clock jumps back", "28", f => f.When(Moment.Started, S(12), _ => f.World.JumpWallClock(TimeSpan.FromMinutes(-10)))),
        new("look-alike machines of somebody else", "27, I4", f =>
        {
            f.World.Market.InflictOnNext(InstanceFault.OciFailure, null); // so that the label's row ends and the job goes on
            f.When(Moment.Rented, AtOnce, f.World.Watch.PlantLookAlikes);
        }),
    ];

    public static Fault Named(string name) => All.Single(fault => fault.Name == name);

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static RentResult.Unclear Unclear(string cause) => new(cause, Light: false);

    private static ProviderUnavailableException NoAnswer() => new("No answer.");

    private static void Bid(FaultBoard f, Moment moment, TimeSpan after, TimeSpan? time)
    {
        f.Bids = true;
        f.When(moment, after, contract => f.Outbid(contract, time));
    }

    /// <summary>A person wishes it soon after the program has started. Where it is started again its time is longer than any jump of the clock.</summary>
    /// <param name="again">So long after the wish it is started again; null: never.</param>
    private static void Keep(FaultBoard f, TimeSpan time, TimeSpan? again) => f.When(Moment.Started, S(4), _ =>
    {
        f.World.Keep(time);
        if (again is { } after)
        {
            f.World.Time.At(after, f.World.StartAgain);
        }
    });

    private static void EndAfter(FaultBoard f, string contract, TimeSpan time)
    {
        if (f.World.Market.Find(int.Parse(contract, System.Globalization.CultureInfo.InvariantCulture)) is { } found)
        {
            found.EndsAt = f.World.Now + time;
            f.World.Time.At(time, f.World.AdvanceMarket);
        }
    }

    private static void DropLastRow(IReadOnlyList<ListingPage> pages)
    {
        if (pages[^1].Rows.Count > 0)
        {
            pages[^1].Rows.RemoveAt(pages[^1].Rows.Count - 1);
        }
    }

    private static void DropLastRowQuietly(IReadOnlyList<ListingPage> pages)
    {
        DropLastRow(pages);
        foreach (var page in pages)
        {
            (page.Total, page.Found) = (pages.Sum(p => p.Rows.Count), page.Rows.Count);
        }
    }

    private static void Empty(IReadOnlyList<ListingPage> pages)
    {
        foreach (var page in pages)
        {
            page.Rows.Clear();
        }
    }

    private static void RepeatRow(IReadOnlyList<ListingPage> pages)
    {
        if (pages[^1].Rows.Count > 0)
        {
            pages[^1].Rows.Add(pages[^1].Rows[0]);
            pages[^1].Total++;
        }
    }

    private static void AllRows(IReadOnlyList<ListingPage> pages, Action<Sandbox.Http.WireRow> bend)
    {
        foreach (var row in pages.SelectMany(page => page.Rows))
        {
            bend(row);
        }
    }

    private static void Rows(IReadOnlyList<ListingPage> pages, string contract, Action<Sandbox.Http.WireRow> bend) =>
        AllRows(pages, row =>
        {
            if (row["id"]?.ToString() == contract)
            {
                bend(row);
            }
        });

    private static void Remove(Sandbox.Http.WireRow row, params string[] fields)
    {
        foreach (var field in fields)
        {
            row.Remove(field);
        }
    }

    /// <summary>Numbers become strings, as they do on some of the provider's routes.</summary>
    private static void Stringify(Sandbox.Http.WireRow row)
    {
        foreach (var (field, value) in row.ToList())
        {
            if (value is int or long or double or decimal)
            {
                row[field] = Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);
            }
        }
    }
}
