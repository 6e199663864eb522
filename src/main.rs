fn main() {
    let args: Vec<String> = std::env::args().collect();
    let input = std::io::BufReader::new(std::fs::File::open(&args[2]).expect("input"));
    let mut out = std::io::BufWriter::new(std::fs::File::create(&args[4]).expect("output"));
    coldcase::cli::batch::run(input, &mut out, 639_000_000_000_000_000).expect("run");
}
