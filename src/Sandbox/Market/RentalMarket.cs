using System.Security.Cryptography;

namespace Dashboard.Sandbox.Market;

/// <summary>
/// The market itself: offers, one renter's account, contracts and their bill. No clock, network or process inside: every call is told
/// the time, and what must happen to containers comes out of <see cref="TakeEffects"/>. Not thread-safe.
/// </summary>
internal sealed partial class RentalMarket(MarketSettings settings, MachinePark park, MarketState state)
{
    private readonly Demand _demand = new(park.Dice);
    private readonly Queue<HostEffect> _effects = new();
    private readonly List<Contract> _living = [.. state.Contracts.Where(contract => contract.IsLiving)];
    private readonly AskNumbers _asks = new(park, state);
    private readonly Books _books = new(settings, state);
    private readonly Dictionary<int, Contract> _byId = state.Contracts.ToDictionary(contract => contract.Id);

    public MarketSettings Settings => settings;

    public MachinePark Park => park;

    public MarketState State => state;

    public IReadOnlyList<Contract> Living => _living;

    public Machine MachineOf(Contract contract) => park.Machines[contract.MachineIndex];

    public Slice SliceOf(Contract contract) => MachineOf(contract).Slices[contract.SliceIndex];

    public RentResult Rent(int askId, RentRequest request, DateTimeOffset now)
    {
        NoteRentCall(request.Label);
        var offer = Offers(OfferKind.OnDemand, request.DiskGb, now).FirstOrDefault(offer => offer.AskId == askId);
        if (offer is null)
        {
            return _asks.WasListed(askId, machine => _demand.Epoch(machine, now)) ? new RentResult.Gone() : new RentResult.NeverListed();
        }

        if (!offer.Rentable)
        {
            return new RentResult.Gone();
        }

        if (_living.Count >= settings.MaxInstances)
        {
            return new RentResult.Gone(FormattableString.Invariant($"This sandbox holds at most {settings.MaxInstances} instances; destroy one first."));
        }

        if (Credit(now) <= 0)
        {
            return new RentResult.NoCredit();
        }

        if (request.DiskGb > (decimal)offer.MaxDiskGb)
        {
            return new RentResult.DiskTooLarge(offer.MaxDiskGb);
        }

        if (request.Bid < offer.MinBid)
        {
            return new RentResult.BidTooLow(offer.MinBid);
        }

        var contract = Sign(offer, request, now);
        state.Contracts.Add(contract);
        _byId.Add(contract.Id, contract);
        _living.Add(contract);
        Advance(now);
        return new RentResult.Rented(contract);
    }

    /// <summary>For the truth about rent calls: those refused before they reach <see cref="Rent"/> count too.</summary>
    public void NoteRentCall(string? label) => state.RentCalls[label ?? ""] = state.RentCalls.GetValueOrDefault(label ?? "") + 1;

    public Contract? Find(int id) => _byId.TryGetValue(id, out var contract) && contract.IsLiving ? contract : null;

    /// <summary>Finds by its per-instance key, destroyed ones included: a key stays known after its instance is gone.</summary>
    public Contract? FindByKey(string key) => state.Contracts.FirstOrDefault(contract => contract.InstanceKey == key);

    public bool SetLabel(int id, string? label)
    {
        if (Find(id) is not { } contract)
        {
            return false;
        }

        contract.Label = label;
        return true;
    }

    /// <summary>What has to be done to containers since the last time this was asked.</summary>
    public IReadOnlyList<HostEffect> TakeEffects()
    {
        var taken = _effects.ToList();
        _effects.Clear();
        return taken;
    }

    public Bill BillOf(Contract contract, DateTimeOffset now) => _books.BillOf(contract, now);

    /// <summary>USD left to spend; falls by the second.</summary>
    public decimal Credit(DateTimeOffset now) => _books.Credit(now);

    public void CountTraffic(int id, long upBytes, long downBytes, DateTimeOffset now)
    {
        if (_byId.TryGetValue(id, out var contract))
        {
            _books.CountTraffic(contract, upBytes, downBytes, now);
        }
    }

    private Contract Sign(Offer offer, RentRequest request, DateTimeOffset now)
    {
        var id = state.NextContractId++;
        var boot = settings.Boot * park.Dice.Between(0.8, 1.2, "boot", id);
        var contract = new Contract
        {
            Id = id,
            AskId = offer.AskId,
            MachineIndex = offer.Machine.Index,
            SliceIndex = offer.Slice.Index,
            Label = request.Label,
            Image = request.Image,
            RunType = request.RunType,
            OnStart = request.OnStart,
            Environment = request.Environment,
            DiskGb = request.DiskGb,
            GpuPerHour = request.Bid ?? offer.GpuPerHour,
            StorageCost = offer.Machine.StorageCost,
            UploadCost = offer.Machine.UploadCost,
            DownloadCost = offer.Machine.DownloadCost,
            MinBid = offer.MinBid,
            IsBid = request.Bid is not null,
            InstanceKey = RandomNumberGenerator.GetHexString(64, lowercase: true),
            JupyterToken = RandomNumberGenerator.GetHexString(64, lowercase: true),
            CreatedAt = now,
            EndsAt = offer.EndsAt,
            ProvisionedAt = now + (boot * 0.2),
            LoadedAt = now + boot,
            Phase = request.StartRunning ? ContractPhase.Provisioning : ContractPhase.Stopped,
            WantedRunning = request.StartRunning,
            AccountKeys = [.. state.AccountKeys.Select(key => key.PublicKey)],
        };
        contract.DiskIntervals.Add(new BilledInterval(now, null, contract.DiskPerHour));
        return contract;
    }
}
