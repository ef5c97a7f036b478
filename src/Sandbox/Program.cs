using System.Globalization;
using System.Security.Cryptography;
using Dashboard.Sandbox;
using Dashboard.Sandbox.Containers;
using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.State;

const int badArguments = 64;
const int prerequisiteMissing = 3;
const int alreadyRunning = 4;

SandboxOptions options;
try
{
    options = SandboxOptions.Parse(args);
}
catch (FormatException error)
{
    return Refuse(badArguments, error.Message + Environment.NewLine + SandboxOptions.Usage);
}

var token = options.Control ? Console.In.ReadLine()?.Trim() : null;
if (options.Control && string.IsNullOrEmpty(token))
{
    return Refuse(badArguments, "--control needs its token as the first line of standard input.");
}

Directory.CreateDirectory(options.Data);
FileStream dataLock;
try
{
    dataLock = new FileStream(Path.Combine(options.Data, "sandbox.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
}
catch (IOException)
{
    return Refuse(alreadyRunning, $"A sandbox already runs on {options.Data}.");
}

await using (dataLock)
{
    if (!PortForwarder.IsFree(options.Port))
    {
        return Refuse(alreadyRunning, string.Create(CultureInfo.InvariantCulture, $"Port {options.Port} is taken; a sandbox may already run there."));
    }

    var (host, tools, missing) = await Prerequisites.CheckAsync(options, CancellationToken.None);
    if (host is null || tools is null)
    {
        return Refuse(prerequisiteMissing, missing!);
    }

    var time = TimeProvider.System;
    var stateFile = new StateFile(Path.Combine(options.Data, "state.json"));
    var state = stateFile.Read() ?? MarketState.Open(RandomNumberGenerator.GetHexString(64, lowercase: true), options.Market.Credit, time.GetUtcNow());

    await SandboxServer.RunAsync(options, host, tools, stateFile, state, token, time);
    return 0;
}

static int Refuse(int code, string sentence)
{
    Console.Error.WriteLine(sentence);
    return code;
}
