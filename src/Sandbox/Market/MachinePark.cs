namespace Dashboard.Sandbox.Market;

/// <summary>All machines of the market, drawn once from a seed around the catalogue's prices.</summary>
internal sealed class MachinePark
{
    private static readonly (string Place, string Country)[] Places =
    [
        ("Ohio, US", "US"), ("Texas, US", "US"), ("California, US", "US"), ("Virginia, US", "US"), ("Quebec, CA", "CA"), ("Sweden, SE", "SE"),
        ("Norway, NO", "NO"), ("Germany, DE", "DE"), ("France, FR", "FR"), ("Czechia, CZ", "CZ"), ("Poland, PL", "PL"), ("Spain, ES", "ES"),
        ("United Kingdom, GB", "GB"), ("Japan, JP", "JP"), ("South Korea, KR", "KR"), ("Taiwan, TW", "TW"), (", US", "US"), ("Iceland, IS", "IS"),
    ];

    private static readonly (string Version, decimal Cuda)[] Drivers =
    [
        ("535.86.05", 12.2m), ("550.54.15", 12.4m), ("560.35.03", 12.6m), ("570.86.15", 12.8m), ("580.65.06", 13.0m),
    ];

    private static readonly (string Name, int Cores, double Ghz, string Board)[] Cpus =
    [
        ("AMD EPYC 7543 32-Core Processor", 64, 3.7, "ROMED8-2T"), ("AMD EPYC 9354 32-Core Processor", 64, 3.8, "GENOAD8X-2T"),
        ("AMD EPYC 7763 64-Core Processor", 128, 3.5, "H12DSG-O-CPU"), ("Xeon® Gold 6226R", 64, 3.9, "X11DPG-OT"), ("Intel® Core™ i9-13900K", 32, 5.8, "Z790 AORUS"),
        ("AMD Ryzen 9 7950X 16-Core Processor", 32, 5.7, "X670E Taichi"),
    ];

    private static readonly string[] Disks = ["SAMSUNG MZQL27T6", "WD_BLACK SN850X", "Micron_7450", "KIOXIA KCD6", "nvme"];

    // Models that hosts buy most: more machines, so a search for them has a market and not a single seller.
    private static readonly string[] Popular = ["RTX 3090", "RTX 4090", "RTX 5090", "A100 SXM4", "H100 SXM", "L40S", "RTX A6000"];

    private MachinePark(Dice dice, IReadOnlyList<Machine> machines)
    {
        Dice = dice;
        Machines = machines;
    }

    public Dice Dice { get; }

    public IReadOnlyList<Machine> Machines { get; }

    public IReadOnlyList<string> GpuNames => [.. Machines.Select(machine => machine.Gpu.Name).Distinct().Order(StringComparer.Ordinal)];

    public static MachinePark Draw(ulong seed)
    {
        var dice = new Dice(seed);
        var machines = new List<Machine>();
        var models = GpuModel.LoadCatalogue();
        for (var model = 0; model < models.Count; model++)
        {
            var count = 1 + (int)(dice.Roll("machines", model) * 2) + (Popular.Contains(models[model].Name) ? 4 : 0);
            for (var nth = 0; nth < count; nth++)
            {
                machines.Add(DrawMachine(dice, models[model], machines.Count));
            }
        }

        return new MachinePark(dice, machines);
    }

    private static Machine DrawMachine(Dice dice, GpuModel gpu, int index)
    {
        var gpuCount = GpuCount(dice.Roll("gpus", index), gpu.IsServerBoard);
        var place = dice.Pick(Places, "place", index);
        var cpu = dice.Pick(Cpus, "cpu", index);
        var blackwell = gpu.ComputeCapability >= 10m;
        var driver = blackwell ? Drivers[dice.Roll("driver", index) < 0.6 ? 3 : 4] : dice.Pick(Drivers, "driver", index);
        var datacenter = gpu.IsServerBoard || dice.Roll("datacenter", index) < 0.25;
        var verified = datacenter || dice.Roll("verified", index) < 0.8;
        var download = datacenter ? dice.Between(1500, 9000, "down", index) : dice.Between(120, 2400, "down", index);
        return new Machine
        {
            Index = index,
            MachineId = 20_000 + (index * 61) + (int)(dice.Roll("machine id", index) * 60),
            HostId = 70_000 + (int)(dice.Roll("host", index / 2) * 20_000),
            Gpu = gpu,
            GpuCount = gpuCount,
            TypicalPrice = TypicalPrice(gpu, dice.Roll("price", index), verified),
            BidShare = Math.Round((decimal)dice.Between(0.42, 0.68, "bid", index), 3),
            StorageCost = Math.Round((decimal)dice.Between(0.10, 0.30, "storage", index), 3),
            UploadCost = Math.Round((decimal)dice.Between(0.001, 0.025, "up cost", index), 4),
            DownloadCost = Math.Round((decimal)dice.Between(0.001, 0.020, "down cost", index), 4),
            Reliability = Math.Round(verified ? dice.Between(0.962, 0.9995, "reliability", index) : dice.Between(0.60, 0.97, "reliability", index), 7),
            Verified = verified,
            Datacenter = datacenter,
            External = dice.Roll("external", index) < 0.02,
            Place = place.Place,
            Country = place.Country,
            UploadMbps = Math.Round(download * dice.Between(0.35, 0.95, "up", index), 1),
            DownloadMbps = Math.Round(download, 1),
            DirectPorts = (int)dice.Between(8, 250, "ports", index),
            StaticIp = datacenter || dice.Roll("static", index) < 0.4,
            Address = FormattableString.Invariant($"203.0.113.{1 + (index % 250)}"), // a documentation range: nobody may dial it by mistake
            DriverVersion = driver.Version,
            MaxCuda = driver.Cuda,
            CpuName = cpu.Name,
            CpuGhz = cpu.Ghz,
            CpuCores = cpu.Cores * (gpuCount >= 8 ? 2 : 1),
            CpuRamMb = gpuCount * (int)dice.Between(30_000, 96_000, "ram", index),
            DiskName = dice.Pick(Disks, "disk name", index),
            DiskMbPerSecond = Math.Round(dice.Between(650, 6800, "disk speed", index), 1),
            DiskGb = Math.Round(gpuCount * dice.Between(180, 900, "disk", index), 1),
            PcieGbPerSecond = Math.Round(dice.Between(5.5, 26, "pcie", index), 1),
            PcieGeneration = gpu.ComputeCapability < 8m ? 3 : blackwell ? 5 : 4,
            Mainboard = cpu.Board,
            OsVersion = dice.Roll("os", index) < 0.7 ? "22.04" : "24.04",
            ListedSince = DateTimeOffset.FromUnixTimeSeconds(1_735_689_600 + (long)(dice.Roll("listed", index) * 40_000_000)),
            Commitment = TimeSpan.FromDays(30 + (int)(dice.Roll("commitment", index) * 150)),
        }.WithSlices();
    }

    private static int GpuCount(double roll, bool serverBoard) => serverBoard
        ? roll < 0.35 ? 8 : roll < 0.65 ? 4 : roll < 0.85 ? 2 : 1
        : roll < 0.50 ? 1 : roll < 0.77 ? 2 : roll < 0.95 ? 4 : 8;

    // The catalogue's low is the cheapest verified machine: the lower half lies evenly between low and median, the upper thins out towards high.
    private static decimal TypicalPrice(GpuModel gpu, double rank, bool verified)
    {
        var upper = Math.Max(0, (rank - 0.5) * 2);
        var price = rank < 0.5
            ? gpu.Low + ((gpu.Median - gpu.Low) * (decimal)(rank * 2))
            : gpu.Median + ((gpu.High - gpu.Median) * (decimal)(upper * upper));
        return Math.Round(verified ? price : price * 0.88m, 5);
    }
}
